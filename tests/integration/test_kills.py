# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL for worker and job: nothing to repair before rpm writes, nothing half-written after."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from bed.soaking import rounds

if TYPE_CHECKING:
    from bed.host import Host

pytestmark = pytest.mark.suites("bookworm", "forky")

PACKAGES = (
    "docker-ce",
    "docker-ce-cli",
    "containerd.io",
    "docker-buildx-plugin",
    "docker-compose-plugin",
    "docker-ce-rootless-extras",
)
BEFORE_WRITING = ("preparing", "metadata", "resolving", "downloading", "checking")

# Runs on the host: starts Install, kills worker or job as soon as the job has told its progress so
# many times or is at the stage, and prints the job's path, and the stage that it was at.
_KILL = """
import asyncio, os, signal, sys
from pathlib import Path
from dockmgrd.bus import PROPERTIES, Bus, Match
from dockmgrd.names import job_unit
from dockmgrd.systemd1 import Systemd
from dockmgrd.variants import to_plain

def processes(module):
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\\0")
            except OSError:
                continue
            if module.encode() in words:
                yield int(folder.name)

async def main(who, times, at_stage):
    async with Bus() as bus:
        stage, count, reached = "", 0, asyncio.Event()

        def look(message):
            nonlocal stage, count
            changed = to_plain(message.body[1])
            stage = changed.get("Stage", stage)
            count += 1
            there = who == "job" or any(processes("dockmgrd.worker"))
            if count >= times and at_stage in ("", stage) and there:
                reached.set()

        await bus.subscribe(Match("org.dockmgr1", PROPERTIES, "PropertiesChanged"), look)
        [path] = await bus.call("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager",
                                "Install", "a{sv}", [{}])
        await reached.wait()
        workers = list(processes("dockmgrd.worker"))
        for pid in workers if who == "worker" else processes("dockmgrd.job"):
            os.kill(pid, signal.SIGKILL)
        print(path, stage, *workers, flush=True)

asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
"""


def kill(host: Host, who: str, *, times: int = 0, stage: str = "") -> tuple[str, str, list[str]]:
    """Install, and kill at that moment; path and stage of the job, and the workers' ids."""
    command = ("/usr/bin/python3", "-IBc", _KILL, who, str(times), stage)
    path, at, *workers = host.run(*command, timeout=120).stdout.split()
    return path, at, workers


def installed(host: Host) -> set[str]:
    return set(host.run("rpm", "-qa", "--queryformat", "%{NAME}\n").stdout.split())


@pytest.mark.parametrize("who", ["worker", "job"])
@pytest.mark.soak
def test_kills_before_rpm_writes_leave_nothing_to_repair(host: Host, who: str) -> None:
    """Ten of each in a soak; the next Install works without a repair."""
    api = Api(host)
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=60_000_000)
    chance = random.Random(who)  # the same moments in every run
    before = installed(host)
    for _ in range(rounds(2, 10)):
        job, stage, _ = kill(host, who, times=chance.randint(1, 12))
        with pytest.raises(ApiError) as caught:
            api.wait(job)
        assert caught.value.text.endswith(".")
        if stage in BEFORE_WRITING:
            assert installed(host) == before
    host.internet.clear()
    api.wait(api.install())
    assert set(PACKAGES) <= installed(host)
    host.run("rpm", "--verify", "--nofiles", *PACKAGES)


def test_the_death_of_the_job_leaves_rpm_to_its_end(host: Host) -> None:
    job, _, workers = kill(host, "job", stage="installing")
    api = Api(host)
    with pytest.raises(ApiError, match="Interrupted"):
        api.wait(job)
    host.run("tail", "--pid", workers[0], "--follow", "/dev/null", timeout=60)
    assert set(PACKAGES) <= installed(host)
    host.run("rpm", "--verify", *PACKAGES)
    api.wait(api.install())
    assert api.status()["service-state"] == "active"


def test_the_death_of_a_worker_that_writes_names_the_way_out(host: Host) -> None:
    job, _, _ = kill(host, "worker", stage="installing")
    api = Api(host)
    with pytest.raises(ApiError, match="while rpm was writing; 'dnf check' shows") as caught:
        api.wait(job)
    assert caught.value.name.endswith("TransactionFailed")
    api.wait(api.install())
    assert set(PACKAGES) <= installed(host)
