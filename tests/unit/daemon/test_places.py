# SPDX-License-Identifier: LGPL-2.1-or-later
"""Read-only jobs wait for slots, and users cannot take the slots of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd import errors, names
from dockmgrd.daemon.places import MAX_READING, MAX_READING_OF_USER, MAX_WAITING_OF_USER
from dockmgrd.enums import JobState
from unit.job_host import Host, read, settle


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


async def test_excess_readers_wait_in_turn(host: Host) -> None:
    jobs = host.daemon()
    first = [await read(jobs, number, 1000) for number in range(MAX_READING_OF_USER + 1)]
    waiting = first.pop()
    assert [job.waiting for job in first] == [False] * MAX_READING_OF_USER
    assert waiting.waiting
    assert str(waiting.progress.message) == "Waiting until other jobs have ended"
    assert names.job_unit(waiting.job_id) not in host.systemd.started
    host.finish(first[0])
    await settle()
    assert host.systemd.started[-1] == names.job_unit(waiting.job_id)
    host.finish(waiting)
    assert await waiting.wait() == {"changed": True}


async def test_nobody_waits_without_end(host: Host) -> None:
    jobs = host.daemon()
    for number in range(MAX_READING_OF_USER + MAX_WAITING_OF_USER):
        await read(jobs, number, 1000)
    with pytest.raises(errors.LimitsExceeded, match="8 of your jobs wait"):
        await read(jobs, "x", 1000)
    assert not (await read(jobs, "x", 1001)).waiting, "another user has places of their own"


async def test_strangers_leave_the_places_of_root_and_members_alone(host: Host) -> None:
    jobs = host.daemon()
    for uid in range(1000, 1010):
        for number in range(5):
            await read(jobs, f"{uid}-{number}", uid)
    assert len(host.systemd.started) == MAX_READING
    assert jobs.strangers_wait
    root = [await read(jobs, f"root-{number}", 0) for number in range(MAX_READING)]
    members = [
        await read(jobs, f"member-{number}", 2000 + number // MAX_READING_OF_USER, authorized=True)
        for number in range(MAX_READING)
    ]
    assert not any(job.waiting for job in root + members)


async def test_users_take_turns(host: Host) -> None:
    jobs = host.daemon()
    running = [await read(jobs, f"{number}", 1000 + number // 2) for number in range(MAX_READING)]
    waiting = [await read(jobs, f"w{number}", 1002 + number // 5) for number in range(6)]
    order = []
    for job in running:
        host.finish(job)
        await settle()
        order.append(next(each for each in waiting if each.unit == host.systemd.started[-1]))
    assert [job.request.caller_uid for job in order[:2]] == [1002, 1003], "not 1002 five times"


async def test_a_stranger_s_job_starts_at_once_when_root_waits_for_it(host: Host) -> None:
    jobs = host.daemon()
    for number in range(MAX_READING_OF_USER):
        await read(jobs, number, 1000)
    waiting = await read(jobs, "x", 1000)
    assert waiting.waiting
    assert await read(jobs, "x", 0) is waiting
    await settle()
    assert host.systemd.started[-1] == waiting.unit


async def test_waiting_jobs_can_be_canceled_and_survive_the_daemon(host: Host) -> None:
    jobs = host.daemon()
    running = [await read(jobs, number, 1000) for number in range(MAX_READING_OF_USER)]
    first, second = [await read(jobs, f"w{number}", 1000) for number in range(2)]
    await jobs.cancel(first, withdrawing=1000)
    with pytest.raises(errors.Cancelled):
        await first.wait()

    await (after := host.daemon()).adopt()
    adopted = {job.job_id: job for job in after.all()}
    assert adopted[first.job_id].state is JobState.CANCELLED
    assert adopted[second.job_id].waiting
    host.finish(adopted[running[0].job_id])
    await settle()
    assert host.systemd.started[-1] == second.unit
    host.finish(adopted[second.job_id])
    assert adopted[second.job_id].state is JobState.DONE


async def test_a_waiting_job_that_cannot_start_has_failed(host: Host) -> None:
    jobs = host.daemon()
    running = [await read(jobs, number, 1000) for number in range(MAX_READING_OF_USER)]
    waiting = await read(jobs, "w", 1000)
    host.systemd.refuses = True
    host.finish(running[0])
    with pytest.raises(errors.ServiceFailed):
        await waiting.wait()
