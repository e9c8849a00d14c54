# SPDX-License-Identifier: LGPL-2.1-or-later
"""The resources of the daemon: processes, files, memory, and no delay when an engine stops."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bed import by_hand, layers
from bed.api import Api
from bed.fixtures import EVERYWHERE
from integration.mirror_hosts import engine_host

if TYPE_CHECKING:
    from bed.host import Host

__all__ = ["engine_host"]

CALLS = 20_000
# Python takes memory in arenas of 1 MB, and the daemon has one more or less from time to time. A
# loss of 100 bytes a call is two of them.
MEMORY_KB = 2048

# Runs on the host: calls Status so often, some at a time, and prints the last answer.
_ASK = """
import asyncio, json, sys
from dockmgrd.bus.client import Bus
from dockmgrd.bus.variants import to_plain

async def main(calls):
    async with Bus() as bus:
        for _ in range(0, calls, 20):
            answers = await asyncio.gather(*(
                bus.call("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager", "Status")
                for _ in range(20)))
    print(json.dumps(to_plain(answers[0][0])))

asyncio.run(main(int(sys.argv[1])))
"""


def ask(host: Host, calls: int) -> dict[str, object]:
    command = ("/usr/bin/python3", "-IBc", _ASK, str(calls))
    answer: dict[str, object] = json.loads(host.run(*command, user="alice").stdout)
    return answer


def daemon_pid(host: Host) -> str:
    return host.run("systemctl", "show", "dockmgrd.service", "-P", "MainPID").stdout.strip()


def test_many_calls_leave_no_memory_behind(host: Host) -> None:
    ask(host, CALLS // 20)
    pid = daemon_pid(host)
    before = resident(host, pid)
    ask(host, CALLS)
    after = resident(host, pid)
    assert daemon_pid(host) == pid
    assert after <= before + MEMORY_KB, (before, after)


def resident(host: Host, pid: str) -> int:
    """Return the private memory of the daemon in kB, without libraries that others share."""
    rollup = host.read(f"/proc/{pid}/smaps_rollup").splitlines()[1:]
    values = dict(line.split()[:2] for line in rollup)
    return int(values["Anonymous:"])


def test_the_daemon_loads_no_tls(host: Host) -> None:
    ask(host, 1)
    assert "libssl" not in host.read(f"/proc/{daemon_pid(host)}/maps")


def test_unchanged_files_are_not_read_again(docker_host: Host) -> None:
    """If only processes with capabilities can read the files, a daemon without capabilities gives
    the same answer until one of them changes. It starts no process for this.
    """
    host = docker_host
    mirrors, limits = "/etc/docker/daemon.json", "/etc/dockmgrd/dockmgrd.yaml"
    host.write(mirrors, '{"registry-mirrors": ["https://mirror.bed.test"]}')
    host.write(limits, "idle-seconds: 600\n")
    usual = ask(host, 200)
    before = faults_of_children(host)
    host.run("chmod", "0", mirrors, limits, layers.SOURCES_FILE, by_hand.REPOSITORY_FILE)
    assert ask(host, 200) == usual
    assert faults_of_children(host) == before

    for path, hint in ((mirrors, "cannot be read"), (limits, limits), (layers.SOURCES_FILE, "bed")):
        host.run("touch", path)
        assert hint in str(ask(host, 20)["problems"]), "that would be seen"
    host.run("touch", "/var/lib/rpm/rpmdb.sqlite")
    ask(host, 20)
    assert faults_of_children(host) > before, "that would be seen"


def faults_of_children(host: Host) -> int:
    """Page faults of all processes that the daemon has started and seen end (man proc: cminflt)."""
    return int(host.read(f"/proc/{daemon_pid(host)}/stat").rpartition(")")[2].split()[8])


@EVERYWHERE
def test_an_engine_that_is_stopped_need_not_wait_for_the_daemon(engine_host: Host) -> None:
    """Engines of today wait up to 5 s for their clients to go, and only then tell systemd more."""
    host, api = engine_host, Api(engine_host)
    host.run("mkfifo", "/run/gate")
    host.write(
        "/run/systemd/system/docker.service.d/gate.conf",
        "[Service]\nExecStop=/bin/sh -c 'read _ < /run/gate'\n",
    )
    host.run("systemctl", "daemon-reload")
    assert api.status()["service-state"] == "active"
    followed = sockets_of_daemon(host)
    host.run("systemctl", "stop", "--no-block", "docker.service", "docker.socket")
    while api.status()["service-state"] != "deactivating":
        pass
    assert sockets_of_daemon(host) == followed - 1
    host.run("sh", "-c", "echo go > /run/gate")
    host.run("systemctl", "stop", "docker.service")
    host.run("systemctl", "start", "docker.service")
    while sockets_of_daemon(host) < followed:
        assert api.status()["service-state"] == "active"


def sockets_of_daemon(host: Host) -> int:
    links = host.run("sh", "-c", f"readlink /proc/{daemon_pid(host)}/fd/*", check=False).stdout
    return links.count("socket:")
