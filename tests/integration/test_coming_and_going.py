# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon starts on demand, exits when idle, and loses no call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.api import Api
from bed.crowd import CROWD
from bed.limits import HANG_TIMEOUT
from bed.soaking import rounds

if TYPE_CHECKING:
    from bed.host import Host

CALLS = rounds(60, 1000)
CLIENTS = 200
PAUSES = (1, 3, 10)
"""How long to wait between calls, in times of the silence: a slow machine needs longer to exit."""
STARTED = "39f53479d3a045ac8e11786248231fbf"
"""The message id with which systemd logs that a unit has started."""

# Runs on the host: each call from a connection of its own, around the moment that the daemon goes.
_AROUND_THE_EXIT = """
import asyncio, json, random, sys
from dockmgrd.bus.client import Bus

async def main(calls, silence, pause):
    failures = []
    for number in range(calls):
        async with Bus() as bus:
            try:
                await bus.call("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager", "Status")
            except Exception as error:
                failures.append(repr(error))
        await asyncio.sleep(random.Random(number).uniform(0.9, 1.5) * silence * pause)
    print(json.dumps(failures))

asyncio.run(main(int(sys.argv[1]), *map(float, sys.argv[2:])))
"""


@pytest.mark.suites("bookworm", "trixie")
@pytest.mark.soak
@pytest.mark.timeout(3 * HANG_TIMEOUT + CALLS)
def test_no_call_is_lost_around_the_exit(host: Host) -> None:
    silence = "0.1"
    host.write(
        "/run/systemd/system/dockmgrd.service.d/short.conf",
        f"[Service]\nEnvironment=DOCKMGRD_IDLE_SECONDS={silence}\n",
    )
    host.run("systemctl", "daemon-reload")
    starts = 0
    for pause in PAUSES:
        command = ("/usr/bin/python3", "-IBc", _AROUND_THE_EXIT, str(CALLS), silence, str(pause))
        assert json.loads(host.run(*command).stdout) == []
        entries = host.journal(MESSAGE_ID=STARTED, UNIT="dockmgrd.service")
        starts, before = len(entries), starts
        if starts - before > CALLS / 10:
            return
    raise AssertionError(f"it hardly went and came back: {starts} starts")


@pytest.mark.suites("bookworm", "trixie")
def test_a_crowd_that_vanishes_leaves_the_daemon_as_it_was(host: Host) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=3_000_000)
    api = Api(host)
    job = api.install()
    api.status()
    before = memory(host)
    host.run("/usr/bin/python3", "-IBc", CROWD, str(CLIENTS), job, user="alice")
    api.status()
    assert memory(host) - before < 2 << 20
    assert api.properties(job)["State"] == "running"
    assert api.wait(job)["changed"] is True


def memory(host: Host) -> int:
    """Bytes of memory that are the daemon's alone."""
    pid = host.run("systemctl", "show", "dockmgrd", "-P", "MainPID").stdout.strip()
    rollup = host.read(f"/proc/{pid}/smaps_rollup")
    values = dict(line.split()[:2] for line in rollup.splitlines()[1:])
    return (int(values["Private_Dirty:"]) + int(values["Private_Clean:"])) << 10
