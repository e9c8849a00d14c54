# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl --host between two hosts, by real ssh over a real network."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bed import debs, layers, releases, sites
from bed.host import Host
from bed.suites import BOOKWORM
from dockmgrd import __version__
from dockmgrd.errors import (
    AccessDenied,
    HostUnreachable,
    InteractiveAuthorizationRequired,
    InvalidArgs,
    ServiceUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("openssh-server", "openssh-client", "iproute2")
GONE = "web2:9"  # where nobody listens
MIRROR = f"https://{sites.MIRROR}/"
CLIENT = "/usr/bin/dockmgrctl"
Result = tuple[int, str, str]
_TIMES = re.compile(r"[0-9]{8}T[0-9]{6}_[0-9a-f]{6}|[0-9]{16}")
"""Ids of jobs, and microseconds since the epoch."""


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    """Two hosts; the first can log in on the second, as root and as alice, who has no rights.

    The second has no dockmgrctl but that which a test runs by hand.
    """
    with ExitStack() as stack:
        disk = debs.with_packages(BOOKWORM, layers.ours(BOOKWORM), *PACKAGES)
        first, second = (stack.enter_context(Host(BOOKWORM, disk)) for _ in range(2))
        allow_logins(first, second)
        yield first, second


def allow_logins(first: Host, second: Host) -> None:
    """Let the first host log in on the second, which loses its dockmgrctl."""
    connect(first, second)
    first.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519")
    key = first.read("/root/.ssh/id_ed25519.pub")
    second.write("/root/.ssh/authorized_keys", key, mode=0o600)
    second.run("systemctl", "start", "ssh.service")
    second.run("mv", CLIENT, "/root/dockmgrctl")
    second.run("install", "-d", "-o", "alice", "-m", "700", "/home/alice/.ssh")
    second.write("/home/alice/.ssh/authorized_keys", key)
    first.write("/etc/hosts", first.read("/etc/hosts") + "192.0.2.2 web2\n")
    first.write("/root/.ssh/config", "StrictHostKeyChecking accept-new\n")


def connect(one: Host, other: Host) -> None:
    """Lay a cable between two hosts: 192.0.2.1 and 192.0.2.2."""
    name = "cable"
    ends = {one: 1, other: 2}
    outside("ip", "link", "add", name, "netns", str(one.leader), "type", "veth", "peer", "name",
            name, "netns", str(other.leader))  # fmt: skip
    for host, address in ends.items():
        host.run("ip", "address", "add", f"192.0.2.{address}/30", "dev", name)
        host.run("ip", "link", "set", name, "up")


def outside(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def run(host: Host, *words: str) -> Result:
    """Run dockmgrctl on the host: exit code, standard output, standard error."""
    client = CLIENT if host.path(CLIENT).exists() else "/root/dockmgrctl"
    done = host.run(client, *words, check=False)
    return done.returncode, done.stdout, done.stderr


def run_for_web2(host: Host, *words: str) -> Result:
    return run(host, "-H", "web2", *words)


@pytest.mark.parametrize("form", ["--json=off", "--json=short", "--json=pretty"])
def test_answers_are_those_that_the_host_itself_gives(hosts: tuple[Host, Host], form: str) -> None:
    first, second = hosts
    for words in (
        ("status",),
        ("sources",),
        ("mirrors",),
        ("permissions",),
        ("version",),
        ("versions",),
        ("follow", "nonsense"),
        ("log", "nonsense"),
        ("install", "--dry-run", "--version=0.1"),
        ("set-mirror", "--dry-run", MIRROR),
        ("uninstall", "--dry-run"),
    ):
        there = run(second, form, *words)
        here = run_for_web2(first, form, *words)
        assert hide_times(here) == hide_times(there), words


def hide_times(result: Result) -> Result:
    """Leave out what differs from job to job, and what ssh and jobs say on standard error."""
    code, out, err = result
    errors = [line for line in err.splitlines() if "dockmgrctl: " in line]
    return code, _TIMES.sub("TIME", out), _TIMES.sub("TIME", "\n".join(errors))


def test_main_job_and_its_log(hosts: tuple[Host, Host]) -> None:
    first, second = hosts
    words = ("--json", "install", "--yes", "--source=official", "--minimal")
    code, out, err = run_for_web2(first, *words)
    assert code == 0, err
    reports = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    stages = [stage for stage, _ in itertools.groupby(each["stage"] for each in reports)]
    assert [*stages[-3:]] == ["starting", "verifying", "finished"], stages
    assert "downloading" in stages
    job = reports[-1]["job"]
    assert json.loads(out)["changed"] is True
    assert second.run("systemctl", "is-active", "docker.service").stdout == "active\n"
    assert first.run("systemctl", "is-active", "docker.service", check=False).returncode != 0

    code, log, _ = run_for_web2(first, "log", job)
    assert (code, log) == run(second, "log", job)[:2]
    assert log
    assert run_for_web2(first, "log", job[-6:], "--lines=1")[1].count("\n") == 1
    code, out, _ = run_for_web2(first, "set-mirror", MIRROR)
    assert code == 0
    assert MIRROR in second.read("/etc/docker/daemon.json")
    assert not first.read("/etc/docker/daemon.json")


def test_polkit_of_the_host_decides(hosts: tuple[Host, Host]) -> None:
    first, second = hosts
    before = second.read("/etc/docker/daemon.json")
    code, _, err = run(first, "-H", "alice@web2", "set-mirror", "https://other.example/")
    assert code in {AccessDenied.exit_code, InteractiveAuthorizationRequired.exit_code}, err
    assert second.read("/etc/docker/daemon.json") == before
    assert run(first, "-H", "alice@web2", "status")[0] == 0


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (GONE, "Connection refused"),
        ("nobody@web2", "Permission denied"),
        ("no-such-host.invalid", "Could not resolve hostname"),
    ],
)
def test_what_ssh_says_is_the_error(hosts: tuple[Host, Host], host: str, reason: str) -> None:
    first, _ = hosts
    code, out, err = run(first, "--no-ask-password", "-H", host, "--json", "status")
    assert code == HostUnreachable.exit_code
    assert reason in err
    assert err.startswith(f"dockmgrctl: ssh cannot reach {host}: ")
    assert reason in json.loads(out)["error"]["message"]


def test_an_unknown_host_key(hosts: tuple[Host, Host]) -> None:
    first, _ = hosts
    known = first.read("/root/.ssh/known_hosts")
    try:
        names = {line.split()[0] for line in known.splitlines()}
        other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        first.write("/root/.ssh/known_hosts", "".join(f"{name} {other}\n" for name in names))
        code, _, err = run_for_web2(first, "status")
        assert code == HostUnreachable.exit_code
        assert "Host key verification failed" in err
    finally:
        first.write("/root/.ssh/known_hosts", known)


def test_an_option_of_ssh_is_no_host(hosts: tuple[Host, Host]) -> None:
    first, _ = hosts
    for host in ("-oProxyCommand=touch /tmp/owned", "web2$(touch /tmp/owned)", "web2 -v"):
        assert run(first, f"--host={host}", "status")[0] == InvalidArgs.exit_code
    assert not first.path("/tmp/owned").exists()


def test_a_host_without_the_service_or_the_bridge(hosts: tuple[Host, Host]) -> None:
    first, second = hosts
    second.run("mv", "/usr/bin/systemd-stdio-bridge", "/root/")
    try:
        code, _, err = run_for_web2(first, "status")
        assert code == HostUnreachable.exit_code
        assert "systemd-stdio-bridge is not installed on web2" in err
    finally:
        second.run("mv", "/root/systemd-stdio-bridge", "/usr/bin/")
    second.run("systemctl", "mask", "--now", "dockmgrd.service")
    try:
        assert run_for_web2(first, "status")[:2] == run(second, "status")[:2]
        assert run_for_web2(first, "status")[0] == ServiceUnknown.exit_code
    finally:
        second.run("systemctl", "unmask", "dockmgrd.service")


def test_a_connection_that_dies_leaves_the_job(hosts: tuple[Host, Host]) -> None:
    first, second = hosts
    second.internet.fault(sites.DOCKER, "slow", prefix="/linux/", value=20_000_000)
    words = ("--json", "-H", "web2", "install", "--yes", "--source=official")
    running = first.popen(CLIENT, *words)
    assert running.stdout is not None
    assert running.stderr is not None
    job = ""
    for line in running.stderr:
        values = json.loads(line)
        job = values["job"]
        if values["stage"] == "downloading":
            break
    first.run("pkill", "--full", "systemd-stdio-bridge$")
    out, err = running.communicate()
    second.internet.clear()
    assert running.returncode == HostUnreachable.exit_code, err
    assert f"Job {job} keeps running there. Follow it again to see its result" in err
    assert json.loads(out)["error"]["name"] == HostUnreachable.dbus_name
    assert run_for_web2(first, "follow", job)[0] == 0


def test_a_plan_and_its_doing_cost_one_password(hosts: tuple[Host, Host]) -> None:
    """Over ssh a user is not at the seat, so polkit asks; what is planned is asked about once."""
    first, second = hosts
    second.run("useradd", "--create-home", "--groups", "wheel", "admin")
    second.run("chpasswd", input="admin:bed-password\n")
    second.run("install", "-d", "-o", "admin", "-m", "700", "/home/admin/.ssh")
    second.write("/home/admin/.ssh/authorized_keys", first.read("/root/.ssh/id_ed25519.pub"))
    second.run("cp", "/root/dockmgrctl", CLIENT)
    second.run("dockmgrctl", "uninstall", "--yes", "--force")
    command = ["dockmgrctl", "install", "--source=official", "--minimal", "--no-start"]
    there = shlex.join(["/usr/bin/python3", "-IBc", _AT_A_TERMINAL, json.dumps(command)])
    status, seen, passwords = json.loads(first.run("ssh", "admin@web2", there).stdout)
    assert status == 0, seen
    assert "Docker Engine is installed." in seen
    assert passwords == 1, seen


@pytest.mark.skipif(
    not releases.has_release_before(), reason="a shallow clone has no commit of that release"
)
def test_the_release_before_on_the_host(tmp_path: Path) -> None:
    """It does what it knows, and refuses by name what it does not know."""
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(Host(BOOKWORM, debs.with_packages(BOOKWORM, base, *PACKAGES)))
            for base in (layers.ours(BOOKWORM), layers.bare(BOOKWORM))
        )
        second.write(layers.SOURCES_FILE, layers.sources_text())
        second.install_rpms(releases.build_release_before(tmp_path))
        allow_logins(first, second)

        code, out, err = run_for_web2(first, "--json", "status")
        assert (code, json.loads(out)["installed"]) == (0, False), err
        code, out, err = run_for_web2(first, "--json", "version")
        answer = json.loads(out)
        assert (code, answer["dockmgrd"], answer["dockmgrctl"]) == (0, "0.1.0", __version__), err
        assert answer["problem"] == (
            "dockmgrctl on this host and dockmgrd on web2 differ. Install the same version on both."
        )
        code, out, err = run_for_web2(first, "--json", "install", "--yes", "--minimal")
        assert (code, json.loads(out)["changed"]) == (0, True), err
        assert run_for_web2(first, "set-mirror", MIRROR)[0] == 0
        assert MIRROR in second.read("/etc/docker/daemon.json")
        code, out, err = run_for_web2(first, "--json", "jobs")
        assert [each["kind"] for each in json.loads(out)] == ["set-mirror", "install"], err
        for each in json.loads(out):
            code, log, err = run_for_web2(first, "log", each["id"])
            assert code == 0, err
            assert log

        for words in (
            ("set-mirror", "--registry=ghcr.io", MIRROR),
            ("probe", "--registry=ghcr.io"),
        ):
            code, _, err = run_for_web2(first, *words)
            assert (code, "Traceback" in err) == (InvalidArgs.exit_code, False), (words, err)
            assert err.startswith(
                f"dockmgrctl: dockmgrd 0.1.0 does not know what dockmgrctl {__version__} asks for. "
                "Unknown option 'registry';"
            ), err
            assert err.endswith(" Install the same version on both.\n"), err
        assert run_for_web2(first, "uninstall", "--yes")[0] == 0
        assert second.run("rpm", "-q", "docker-ce", check=False).returncode != 0


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
