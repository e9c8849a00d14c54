# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl --host between three hosts, by real ssh over a real network."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bed import layers
from bed.host import Host
from bed.suites import BOOKWORM
from dockmgrd.errors import (
    AccessDenied,
    HostUnreachable,
    InteractiveAuthorizationRequired,
    UnknownObject,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# sshd comes with the tree: it is Debian's package, not an RPM.
WITH_SSHD = dataclasses.replace(
    BOOKWORM, debian_dnf=(*BOOKWORM.debian_dnf, "openssh-server", "openssh-client", "iproute2")
)
NAMES = ("web1", "web2", "web3")
GONE = "web2:9"  # where nobody listens
MIRROR = "https://mirror.bed.test"
REFUSALS = (AccessDenied, InteractiveAuthorizationRequired)
REFUSED = {each.exit_code for each in REFUSALS}


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host, Host]]:
    """Three hosts; the first can log in as root on all of them, and as alice on the second."""
    with ExitStack() as stack:
        first, second, third = (
            stack.enter_context(Host(WITH_SSHD, layers.ours(WITH_SSHD))) for _ in NAMES
        )
        connect(first, second, 1)
        connect(first, third, 2)
        first.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519")
        key = first.read("/root/.ssh/id_ed25519.pub")
        for host in (first, second, third):
            host.write("/root/.ssh/authorized_keys", key, mode=0o600)
            host.run("systemctl", "start", "ssh.service")
        second.run("install", "-d", "-o", "alice", "-m", "700", "/home/alice/.ssh")
        second.write("/home/alice/.ssh/authorized_keys", key)
        addresses = {"web1": "127.0.0.1", "web2": "192.0.2.6", "web3": "192.0.2.10"}
        lines = [f"{address} {name}\n" for name, address in addresses.items()]
        first.write("/etc/hosts", first.read("/etc/hosts") + "".join(lines))
        first.write("/root/.ssh/config", "StrictHostKeyChecking accept-new\nLogLevel ERROR\n")
        yield first, second, third


def connect(one: Host, other: Host, number: int) -> None:
    """Lay a cable between two hosts: 192.0.2.4n+1 and 192.0.2.4n+2."""
    name = f"cable{number}"
    ends = {one: 4 * number + 1, other: 4 * number + 2}
    outside("ip", "link", "add", name, "netns", str(one.leader), "type", "veth", "peer", "name",
            name, "netns", str(other.leader))  # fmt: skip
    for host, address in ends.items():
        host.run("ip", "address", "add", f"192.0.2.{address}/30", "dev", name)
        host.run("ip", "link", "set", name, "up")


def outside(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def test_each_host_does_it_and_the_worst_is_the_exit_code(
    hosts: tuple[Host, Host, Host],
) -> None:
    first, second, third = hosts
    everywhere = ",".join((*NAMES, GONE))
    shown = first.run("dockmgrctl", "--host", everywhere, "status", check=False)
    assert shown.returncode == HostUnreachable.exit_code
    *rows, last = shown.stdout.splitlines()[-4:]
    for name, row in zip(NAMES, rows):
        assert row.split()[1:3] == [name, "ok"], shown.stdout
        assert f"{name}:\n  ○ Docker is not installed" in shown.stdout
    assert last.split()[1:3] == [GONE, "unreachable"]
    assert "Connection refused" in last

    line = ("-H", "web2", "-H", "alice@web2,web3", "--json", "set-mirror", MIRROR)
    done = first.run("dockmgrctl", *line, check=False)
    assert done.returncode in REFUSED
    answers = json.loads(done.stdout)
    assert answers["web2"]["mirrors"] == answers["web3"]["mirrors"] == [f"{MIRROR}/"]
    assert answers["alice@web2"]["error"]["name"] in {each.dbus_name for each in REFUSALS}
    reports = [json.loads(each) for each in done.stderr.splitlines() if each.startswith("{")]
    assert {each["host"] for each in reports if each["state"] == "done"} == {"web2", "web3"}
    for host in (second, third):
        assert MIRROR in host.read("/etc/docker/daemon.json")
    assert not first.read("/etc/docker/daemon.json")


def test_one_host_answers_as_if_it_were_this_one(hosts: tuple[Host, Host, Host]) -> None:
    first, second, _ = hosts
    for line in (("sources",), ("mirrors",), ("can",), ("version",), ("install", "--dry-run")):
        there = second.run("dockmgrctl", *line)
        assert first.run("dockmgrctl", "-H", "web2", *line).stdout == there.stdout
    [job, *_] = json.loads(first.run("dockmgrctl", "-H", "web2", "--json", "jobs").stdout)["web2"]
    log = first.run("dockmgrctl", "-H", "web2", "log", job["id"]).stdout
    assert log == second.run("dockmgrctl", "log", job["id"]).stdout != ""
    missing = first.run("dockmgrctl", "-H", "web2", "log", "nonsense", check=False)
    assert missing.returncode == UnknownObject.exit_code
    assert "There is no job 'nonsense'" in missing.stderr


def test_a_plan_and_its_doing_cost_one_password(hosts: tuple[Host, Host, Host]) -> None:
    """Over ssh a user is not at the seat, so polkit asks; what is planned is asked about once."""
    first, second, _ = hosts
    second.run("useradd", "--create-home", "--groups", "wheel", "admin")
    second.run("chpasswd", input="admin:bed-password\n")
    second.run("install", "-d", "-o", "admin", "-m", "700", "/home/admin/.ssh")
    second.write("/home/admin/.ssh/authorized_keys", first.read("/root/.ssh/id_ed25519.pub"))
    command = ["dockmgrctl", "install", "--source=official", "--minimal", "--no-start"]
    there = shlex.join(["/usr/bin/python3", "-IBc", _AT_A_TERMINAL, json.dumps(command)])
    status, seen, passwords = json.loads(first.run("ssh", "admin@web2", there).stdout)
    assert status == 0, seen
    assert "Docker Engine is installed." in seen
    assert passwords == 1, seen


# Runs on the host, in the session that sshd has made: the command on a terminal of its own, and
# somebody who knows the password and agrees to the plan.
_AT_A_TERMINAL = """
import json, os, pty, sys, termios, time

child, terminal = pty.fork()
if child == 0:
    command = json.loads(sys.argv[1])
    os.execvp(command[0], command)
seen, passwords, agreed = "", 0, False
while True:
    try:
        new = os.read(terminal, 4096)
    except OSError:
        break
    seen += new.decode(errors="replace")
    if seen.count("Password: ") > passwords:
        passwords += 1
        # What is typed before the agent has turned the echo off is thrown away.
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, b"bed-password\\n")
    if "[y/N] " in seen and not agreed:
        agreed = True
        os.write(terminal, b"y\\n")
print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen, passwords]))
"""
