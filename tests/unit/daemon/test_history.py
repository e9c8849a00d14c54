# SPDX-License-Identifier: LGPL-2.1-or-later
"""The limits for finished jobs, per user."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.daemon.history import LIMITS, Shelf
from dockmgrd.enums import JobState, Kind
from unit.job_host import DRY, Host, read


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


async def test_old_jobs_are_forgotten_and_no_others(host: Host) -> None:
    jobs = host.daemon()
    first = await jobs.submit(Kind.SET_MIRROR, {"mirrors": ["first"]}, 0)
    host.finish(first)
    kept = LIMITS[Shelf.CHANGED].of_user
    for number in range(kept):
        host.finish(await jobs.submit(Kind.SET_MIRROR, {"mirrors": [f"{number}"]}, 0))
    await jobs.submit(Kind.SET_MIRROR, {"mirrors": ["last"]}, 0)
    assert host.forgotten == [first.job_id]
    assert len(host.store.ids()) == kept + 1


async def test_jobs_that_changed_nothing_push_none_out_that_did(host: Host) -> None:
    jobs = host.daemon()
    install = await jobs.submit(Kind.INSTALL, {}, 0)
    host.finish(install)
    failed = await jobs.submit(Kind.INSTALL, {}, 0)
    host.finish(failed, JobState.FAILED)
    for number in range(60):
        host.finish(await jobs.submit(Kind.INSTALL, {"lock-wait": number}, 0), changed=False)
        host.finish(await jobs.submit(Kind.INSTALL, {"lock-wait": number}, 0), JobState.CANCELLED)
        host.finish(await jobs.submit(Kind.INSTALL, DRY, 0))
    assert install in jobs.all()
    assert failed in jobs.all()
    assert len(jobs.all()) <= 2 + LIMITS[Shelf.UNCHANGED].of_user + LIMITS[Shelf.READ].of_user + 1


async def test_a_user_s_jobs_push_none_of_another_user_out(host: Host) -> None:
    jobs = host.daemon()
    probe = await jobs.submit(Kind.PROBE, {"mirrors": ["a"]}, 1000)
    host.finish(probe)
    shared = await read(jobs, "shared", 1001)
    assert await read(jobs, "shared", 1002) is shared
    host.finish(shared)
    for number in range(30):
        host.finish(await read(jobs, number, 1001))
    assert probe in jobs.all()
    assert shared in jobs.all(), "user 1002 has not read it yet"
    for uid in range(2000, 2020):
        for number in range(LIMITS[Shelf.READ].of_user):
            host.finish(await read(jobs, f"{uid}-{number}", uid))
    assert len(jobs.all()) <= LIMITS[Shelf.READ].in_all + 1
    assert probe in jobs.all(), "who has most gives up most"
