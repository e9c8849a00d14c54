# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon follows jobs, with a systemd that the test imitates."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dockmgrd import errors, names
from dockmgrd.enums import JobState, Kind, Stage
from dockmgrd.host import atomicfile
from dockmgrd.model import JobRequest
from unit.job_host import DRY, Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


async def test_an_identical_request_joins_and_another_is_refused(host: Host) -> None:
    jobs = host.daemon()
    job, same = await asyncio.gather(
        jobs.submit(Kind.INSTALL, {"source": "a"}, 0),
        jobs.submit(Kind.INSTALL, {"source": "a"}, 1000),
    )
    assert same is job
    assert host.systemd.started == [names.job_unit(job.job_id)]
    with pytest.raises(errors.Busy, match=rf"{job.job_id} \(install\).* since \d\d:\d\d:\d\d"):
        await jobs.submit(Kind.INSTALL, {"source": "b"}, 0)
    reading = await jobs.submit(Kind.INSTALL, DRY, 0)
    assert jobs.active is job, "who reads neither waits nor is waited for"
    host.finish(job)
    assert (await jobs.submit(Kind.INSTALL, {"source": "b"}, 0)) is jobs.active
    assert reading in jobs.running


@pytest.mark.parametrize("kind", [Kind.INSTALL, Kind.LIST_VERSIONS])
async def test_a_shared_job_is_canceled_by_its_last_user(host: Host, kind: Kind) -> None:
    jobs = host.daemon()
    job = await jobs.submit(kind, {}, 1000)
    assert await jobs.submit(kind, {}, 0) is job
    assert await jobs.submit(kind, {}, 1001) is job
    with pytest.raises(errors.NotCancellable, match=r"other users wait for it .*0, 1001\)"):
        await jobs.cancel(job, withdrawing=1000)
    assert host.systemd.signals == []

    await (after := host.daemon()).adopt()
    [adopted] = after.all()
    assert adopted.users == {0, 1001}
    with pytest.raises(errors.NotCancellable):
        await after.cancel(adopted, withdrawing=0)
    host.systemd.on_signal = lambda: host.finish(adopted, JobState.CANCELLED)
    await after.cancel(adopted, withdrawing=1001)
    assert host.systemd.signals == [job.unit]


async def test_users_with_cancel_stop_a_job_for_all(host: Host) -> None:
    jobs = host.daemon()
    job = await jobs.submit(Kind.INSTALL, {}, 1000)
    await jobs.submit(Kind.INSTALL, {}, 1001)
    host.systemd.on_signal = lambda: host.finish(job, JobState.CANCELLED)
    await jobs.cancel(job)
    assert host.systemd.signals == [job.unit]


async def test_progress_never_goes_back_and_late_comers_get_the_result(host: Host) -> None:
    jobs = host.daemon()
    job = await jobs.submit(Kind.INSTALL, {}, 0)
    for fraction in (0.5, 0.3, 0.6):
        host.systemd.tell(job, Stage.DOWNLOADING, fraction)
    host.systemd.watchers[names.unit_path(names.job_unit(job.job_id))](
        {"StatusText": "no progress of ours"}
    )
    waiting = asyncio.ensure_future(job.wait())
    host.finish(job)
    assert await waiting == {"changed": True}
    assert await job.wait() == {"changed": True}
    fractions = [fraction for _, _, fraction in host.changes]
    assert fractions == sorted(fractions)
    assert [state for _, state, _ in host.changes].count("done") == 1, "it ends once"
    with pytest.raises(errors.NotCancellable, match="has already ended; it is done"):
        await jobs.cancel(job)


async def test_a_job_that_leaves_no_result_is_interrupted(host: Host) -> None:
    job = await (jobs := host.daemon()).submit(Kind.UNINSTALL, {}, 1000)
    host.systemd.end(job)
    with pytest.raises(errors.Interrupted, match="ended without a result while resolving"):
        await job.wait()
    assert jobs.active is None
    result = host.store.read_result(job.job_id)
    assert result is not None
    assert result.state is JobState.INTERRUPTED


def fill_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing can be written."""

    def fail(path: Path, data: bytes, **_: object) -> None:
        raise errors.InsufficientSpace("The disk is full.")

    monkeypatch.setattr(atomicfile, "replace", fail)


async def test_a_job_ends_when_its_result_cannot_be_written(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = host.daemon()
    job = await jobs.submit(Kind.INSTALL, {"source": "a"}, 0)
    with monkeypatch.context() as full:
        fill_up(full)
        host.systemd.end(job)
        assert job.state is JobState.INTERRUPTED
        assert jobs.active is None
        with pytest.raises(errors.Interrupted):
            await job.wait()
        with pytest.raises(errors.InsufficientSpace):
            await jobs.submit(Kind.INSTALL, {"source": "b"}, 0)
        await (after := host.daemon()).adopt()
        assert [each.state for each in after.all()] == [JobState.INTERRUPTED]
    assert (await jobs.submit(Kind.INSTALL, {"source": "b"}, 0)) is jobs.active


@pytest.mark.parametrize("content", ["[" * 100_000, '{"result": null}', ""])
async def test_a_result_that_cannot_be_read_ends_the_job_and_stays(
    host: Host, tmp_path: Path, content: str
) -> None:
    job = await (jobs := host.daemon()).submit(Kind.INSTALL, {}, 0)
    path = tmp_path / "jobs" / job.job_id / "result.json"
    path.write_text(content)
    host.systemd.end(job)
    with pytest.raises(errors.Interrupted, match="not readable"):
        await job.wait()
    assert jobs.active is None
    await (after := host.daemon()).adopt()
    assert [each.state for each in after.all()] == [JobState.INTERRUPTED]
    assert path.read_text() == content


async def test_entries_that_are_no_jobs_keep_nobody_from_starting(
    host: Host, tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "20260101T000000_000001").touch()
    (jobs / "20260101T000000_000002").mkdir()
    (jobs / "20260101T000000_000003").symlink_to("/")
    deep = jobs / "20260101T000000_000004"
    deep.mkdir()
    (deep / "request.json").write_text('{"a":' * 100_000)
    (jobs / "notes.txt").touch()
    await (daemon := host.daemon()).adopt()
    assert daemon.all() == []
    assert not (jobs / "20260101T000000_000002").exists(), "what a failed request has left"
    assert deep.exists(), "what cannot be understood is not deleted"
    assert await daemon.submit(Kind.INSTALL, {}, 0) is daemon.active


@pytest.mark.parametrize(
    "status", ["[" * 100_000, '{"stage": "resolving"}', "[]", "5", '{"stage": {}}', ""]
)
async def test_a_status_that_is_no_progress_is_passed_over(host: Host, status: str) -> None:
    job = await host.daemon().submit(Kind.INSTALL, {}, 0)
    before = job.progress
    path = names.unit_path(names.job_unit(job.job_id))
    host.systemd.watchers[path]({"StatusText": status})
    assert job.progress == before


async def test_a_job_that_systemd_does_not_start_leaves_nothing_behind(host: Host) -> None:
    jobs = host.daemon()
    host.systemd.refuses = True
    with pytest.raises(errors.ServiceFailed):
        await jobs.submit(Kind.INSTALL, {}, 0)
    assert (jobs.all(), host.store.ids(), host.systemd.watchers) == ([], [], {})


async def test_the_next_daemon_takes_up_what_it_finds(host: Host) -> None:
    before = host.daemon()
    done = await before.submit(Kind.INSTALL, {}, 0)
    host.finish(done)
    lost = await before.submit(Kind.UNINSTALL, {}, 0)
    host.systemd.active.clear()
    running = JobRequest("20260101T000000_abcdef", Kind.SET_MIRROR, {"mirrors": []}, 0, 1)
    host.store.write_request(running)
    host.systemd.active.add(names.job_unit(running.job_id))
    (host.store._path("20260101T000000_000000")).mkdir()

    after = host.daemon()
    await after.adopt()
    states = {job.job_id: job.state for job in after.all()}
    assert states == {
        running.job_id: JobState.RUNNING,
        done.job_id: JobState.DONE,
        lost.job_id: JobState.INTERRUPTED,
    }
    assert [job.request.created_at for job in after.all()] == sorted(
        job.request.created_at for job in after.all()
    )
    assert after.active is not None
    assert after.active.progress.stage is Stage.RESOLVING
    host.finish(after.active)
    assert after.active is None


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED])
async def test_canceling_a_job_that_is_quicker_is_refused(host: Host, state: JobState) -> None:
    job = await (jobs := host.daemon()).submit(Kind.INSTALL, {}, 0)
    host.systemd.on_signal = lambda: host.finish(job, state)
    with pytest.raises(errors.NotCancellable, match=f"it is {state.value}"):
        await jobs.cancel(job)


async def test_canceling_a_job_that_has_just_begun_to_write_is_refused(host: Host) -> None:
    job = await (jobs := host.daemon()).submit(Kind.INSTALL, {}, 0)
    host.systemd.on_signal = lambda: host.systemd.tell(
        job, Stage.INSTALLING, 0.5, cancellable=False
    )
    with pytest.raises(errors.NotCancellable, match="is installing and must not be stopped"):
        await jobs.cancel(job)
    with pytest.raises(errors.NotCancellable):
        await jobs.cancel(job)
    assert len(host.systemd.signals) == 1
    host.systemd.tell(job, Stage.STARTING, 0.9)
    host.systemd.on_signal = lambda: host.finish(job, JobState.CANCELLED)
    await jobs.cancel(job)


async def test_canceling_does_not_wait_without_end(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockmgrd.daemon.jobs.CANCEL_TIMEOUT", 0.01)
    job = await (jobs := host.daemon()).submit(Kind.INSTALL, {}, 0)
    await jobs.cancel(job)
    assert job.state is JobState.RUNNING


async def test_a_job_ends_in_one_step(host: Host) -> None:
    """A job may say that it is finished before its result is there."""
    seen: list[tuple[str, JobState, bool]] = []
    jobs = host.daemon()
    job = await jobs.submit(Kind.INSTALL, {}, 0)
    jobs._changed = lambda job: seen.append(
        (job.progress.stage.value, job.state, job.progress.cancellable)
    )
    host.systemd.tell(job, Stage.VERIFYING, 0.9)
    host.systemd.tell(job, Stage.FINISHED, 1.0)
    with pytest.raises(errors.NotCancellable):
        await jobs.cancel(job)
    host.finish(job)
    assert seen == [
        ("verifying", JobState.RUNNING, True),
        ("verifying", JobState.RUNNING, False),
        ("finished", JobState.DONE, False),
    ]
