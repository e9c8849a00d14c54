# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL for worker and job: nothing to repair before rpm writes, nothing half-written after."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF
from bed.soaking import rounds
from bed.suites import ARCH
from bed.workers import ALL

if TYPE_CHECKING:
    from bed.host import Host

pytestmark = EACH_DNF

LATEST_KILL = 0.4
"""Progress of a job that is two thirds through its download."""
BEFORE_WRITING = ("preparing", "metadata", "resolving", "downloading", "checking")

# Runs on the host: starts Install, kills worker or job as soon as the job has come so far and is
# at the stage, and prints the job's path, and the stage that it was at.
_KILL = """
import asyncio, os, signal, sys
from pathlib import Path
from dockmgrd.bus.client import Bus
from dockmgrd.bus.messages import PROPERTIES, Match
from dockmgrd.names import job_unit
from dockmgrd.host.systemd import Systemd
from dockmgrd.bus.variants import to_plain

def processes(module):
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\\0")
            except OSError:
                continue
            # On a host with a Python for packages alone, the worker is a folder of modules.
            folder_of_modules = "/usr/libexec/" + module.replace(".", "/")
            if {module.encode(), folder_of_modules.encode()} & set(words):
                yield int(folder.name)

async def main(who, least, at_stage):
    async with Bus() as bus:
        stage, progress, reached = "", 0.0, asyncio.Event()

        def look(message):
            nonlocal stage, progress
            changed = to_plain(message.body[1])
            stage = changed.get("Stage", stage)
            progress = changed.get("Progress", progress)
            there = who == "job" or any(processes("dockmgrd.worker"))
            if progress >= least and at_stage in ("", stage) and there:
                reached.set()

        await bus.subscribe(Match("org.dockmgr1", PROPERTIES, "PropertiesChanged"), look)
        [path] = await bus.call("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager",
                                "Install", "a{sv}", [{}])
        await reached.wait()
        workers = list(processes("dockmgrd.worker"))
        for pid in workers if who == "worker" else processes("dockmgrd.job"):
            os.kill(pid, signal.SIGKILL)
        print(path, stage, *workers, flush=True)

asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3]))
"""


def kill(
    host: Host, who: str, *, progress: float = 0.0, stage: str = ""
) -> tuple[str, str, list[str]]:
    """Install, and kill at that moment; path and stage of the job, and the workers' ids."""
    command = ("/usr/bin/python3", "-IBc", _KILL, who, str(progress), stage)
    path, at, *workers = host.run(*command).stdout.split()
    return path, at, workers


def installed(host: Host) -> set[str]:
    return set(host.run("rpm", "-qa", "--queryformat", "%{NAME}\n").stdout.split())


def forget_downloads(host: Host) -> None:
    """Have the next download take its time: what is fetched already would be taken at once."""
    host.run("sh", "-c", "rm -f /var/cache/dnf/*/packages/* /var/cache/libdnf5/*/packages/*")


@pytest.mark.parametrize("who", ["worker", "job"])
@pytest.mark.soak
def test_kills_before_rpm_writes_leave_nothing_to_repair(host: Host, who: str) -> None:
    """Ten of each in a soak; the next Install works without a repair.

    One package never comes, so that rpm does not begin to write however late the kill is.
    """
    api = Api(host)
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=5_000_000)
    last = f"/linux/{host.suite.trees[0]}/{ARCH}/stable/Packages/docker-compose-plugin-"
    host.internet.fault("download.docker.com", "hang", prefix=last)
    chance = random.Random(who)  # the same moments in every run
    before = installed(host)
    for _ in range(rounds(2, 10)):
        forget_downloads(host)
        job, stage, _ = kill(host, who, progress=chance.uniform(0.0, LATEST_KILL))
        with pytest.raises(ApiError) as caught:
            api.wait(job)
        assert caught.value.text.endswith(".")
        assert stage in BEFORE_WRITING
        assert installed(host) == before
    host.internet.clear()
    api.wait(api.install())
    assert set(ALL) <= installed(host)
    host.run("rpm", "--verify", "--nofiles", *ALL)


def test_the_death_of_the_job_leaves_rpm_to_its_end(host: Host) -> None:
    job, _, workers = kill(host, "job", stage="installing")
    api = Api(host)
    with pytest.raises(ApiError, match="Interrupted"):
        api.wait(job)
    host.run("tail", "--pid", workers[0], "--follow", "/dev/null")
    assert set(ALL) <= installed(host)
    host.run("rpm", "--verify", *ALL)
    api.wait(api.install())
    assert api.status()["service-state"] == "active"


def test_the_death_of_a_worker_that_writes_names_the_way_out(host: Host) -> None:
    job, _, _ = kill(host, "worker", stage="installing")
    api = Api(host)
    with pytest.raises(ApiError, match="while rpm was writing") as caught:
        api.wait(job)
    assert caught.value.name.endswith("TransactionFailed")
    api.wait(api.install())
    assert set(ALL) <= installed(host)
