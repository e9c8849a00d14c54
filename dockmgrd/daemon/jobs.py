# SPDX-License-Identifier: LGPL-2.1-or-later
"""The jobs of this host as the daemon follows them: each is a systemd unit that outlives us."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from dockmgrd import errors, names
from dockmgrd.codec import decode_record
from dockmgrd.daemon import history, job_state
from dockmgrd.daemon.job_state import Job
from dockmgrd.daemon.places import Group, Places
from dockmgrd.enums import JobState, Kind, Stage
from dockmgrd.host.jobstore import JobStore, new_id
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import ENDED
from dockmgrd.messages import jobs as messages
from dockmgrd.model import Authorization, JobRequest, JobResult, Progress
from dockmgrd.sd import journal
from dockmgrd.timeouts import within

logger = logging.getLogger(__name__)

CANCEL_TIMEOUT = 10.0
"""Seconds for which Cancel waits for the outcome."""


class Jobs:
    """Starts jobs and follows them to their end: one that changes the host at a time, and beside
    it some that only read.

    `changed` is called for every job that is new or has moved, `forgotten` for one that is old.
    """

    def __init__(
        self,
        systemd: Systemd,
        store: JobStore,
        changed: Callable[[Job], None],
        forgotten: Callable[[Job], None],
    ) -> None:
        self._systemd = systemd
        self._store = store
        self._changed = changed
        self._forgotten = forgotten
        self._jobs: dict[str, Job] = {}
        self._places = Places()
        self._starts: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> Job | None:
        """The job that changes the host now."""
        return next((job for job in self.running if not job.request.reads_only), None)

    @property
    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self._jobs.values() if job.result is None]

    @property
    def strangers_wait(self) -> bool:
        """Whether a reading job of a user without any authorization would have to wait."""
        return not self._places.has_room(Group.STRANGERS, self._reading)

    @property
    def _reading(self) -> list[Job]:
        return [job for job in self.running if job.request.reads_only]

    def all(self) -> list[Job]:
        """All jobs that are remembered, oldest first."""
        return list(self._jobs.values())

    async def adopt(self) -> None:
        """Take up the jobs of an earlier daemon: those that ended, and those that still run."""
        requests: list[JobRequest] = []
        for job_id in self._store.ids():
            request = self._store.read_request(job_id)
            if request is not None:
                requests.append(request)
            elif self._store.is_empty(job_id):
                self._store.delete(job_id)
            else:
                logger.warning("job %s has no readable request; it is left out", job_id)
        for request in sorted(requests, key=lambda each: each.created_at):
            await self._adopt(request)
        self._start_waiting()
        self._prune()

    async def _adopt(self, request: JobRequest) -> None:
        users = self._store.read_users(request.job_id) or {request.caller_uid}
        job = Job(request, result=self._store.read_result(request.job_id), users=users)
        job.authorized = bool(request.granted)
        self._jobs[job.job_id] = job
        if job.result is not None:
            job.ended.set()
        elif self._store.is_waiting(job.job_id):
            self._show_as_waiting(job)
        else:
            await self._watch(job)
            await self._catch_up(job)
        self._changed(job)

    async def submit(
        self,
        kind: Kind,
        options: Mapping[str, Any],
        uid: int,
        granted: tuple[Authorization, ...] = (),
        *,
        authorized: bool = False,
        origin: str = "",
    ) -> Job:
        """Start a job, or join the one that runs when it does the very same.

        A job that only reads may have to wait for a place, and is started when it has one.

        :param granted: what the user was allowed; see `JobRequest`.
        :param authorized: whether polkit has authorized the user for any action.
        :param origin: see `JobRequest`.
        :raises Busy: when another job changes the host.
        :raises LimitsExceeded: when too many jobs of the user wait.
        :raises ServiceFailed: when systemd does not start it.
        :raises InsufficientSpace, WriteFailed: when the request cannot be written.
        """
        authorized = authorized or bool(granted)
        for running in self.running:
            if running.request.kind is kind and running.request.options == options:
                self._join(running, uid, authorized=authorized)
                return running
        now = job_state.get_time()
        request = JobRequest(new_id(), kind, dict(options), uid, now, granted, origin)
        job = Job(request, users={uid}, authorized=authorized)
        if request.reads_only:
            self._places.check(uid, self._reading)
        else:
            self._check_idle()
        self._jobs[job.job_id] = job
        try:
            self._store.write_request(job.request)
            if request.reads_only and not self._places.may_run(job, self._reading):
                self._store.mark_waiting(job.job_id)
                self._show_as_waiting(job)
            else:
                await self._start(job)
        except errors.DockmgrError:
            self._drop(job)
            raise
        self._changed(job)
        if job.started:
            await self._catch_up(job)
        self._prune()
        return job

    def _join(self, job: Job, uid: int, *, authorized: bool) -> None:
        if uid in job.users:
            return
        job.users.add(uid)
        job.authorized |= authorized
        self._store.write_users(job.job_id, job.users)
        journal.record_job_join(job.request, uid)
        self._start_waiting()

    def _check_idle(self) -> None:
        """:raises Busy: when a job changes the host."""
        if (job := self.active) is not None:
            since = time.strftime("%H:%M:%S", time.localtime(job.request.created_at / 1e6))
            text = messages.JOB_IS_RUNNING(job=job.job_id, kind=job.request.kind.value, since=since)
            command = f"dockmgrctl follow {job.job_id}"
            raise errors.Busy(text.with_remedy(messages.WAIT_OR_CANCEL(), command))

    async def cancel(self, job: Job, withdrawing: int | None = None) -> None:
        """Stop the job: it has ended as canceled, or after a while it is still cleaning up.

        :param withdrawing: the user who no longer waits for the job; it continues while others
            wait. None stops it for all.
        :raises NotCancellable: when it is past the point, has ended, or continues for others.
        """
        job.check_cancellable()
        if withdrawing is not None and job.users - {withdrawing}:
            job.users.discard(withdrawing)
            self._store.write_users(job.job_id, job.users)
            users = [str(uid) for uid in sorted(job.users)]
            raise errors.NotCancellable(messages.JOB_IS_SHARED(job=job.job_id, users=users))
        if not job.started:
            self._finish(job, job_state.make_cancellation(job))
            return
        await self._systemd.signal_main(job.unit, signal.SIGTERM)
        try:
            await within(job.committed.wait(), CANCEL_TIMEOUT)
        except asyncio.TimeoutError:
            return
        if job.state not in (JobState.CANCELLED, JobState.INTERRUPTED):
            job.check_cancellable()

    def _show_as_waiting(self, job: Job) -> None:
        job.waiting = True
        job.progress = Progress(Stage.PREPARING, 0.0, messages.JOB_WAITS())

    def _start_waiting(self) -> None:
        """Start those of the waiting jobs that have a place now."""
        while (job := self._places.choose(self._reading)) is not None:
            job.waiting = False
            task = asyncio.ensure_future(self._start_later(job))
            self._starts.add(task)
            task.add_done_callback(self._starts.discard)

    async def _start_later(self, job: Job) -> None:
        """Start a job that has waited; that this fails is its result."""
        try:
            self._store.unmark_waiting(job.job_id)
            await self._start(job)
        except errors.DockmgrError as error:
            if job.result is None:
                self._finish(job, job_state.make_start_failure(error))
            return
        if job.result is None:
            await self._catch_up(job)
        elif job.unwatch is not None:  # Canceled meanwhile; its unit finds the result and ends.
            job.unwatch()

    async def _start(self, job: Job) -> None:
        """:raises ServiceFailed: when systemd does not start it."""
        await self._watch(job)
        await self._systemd.start(job.unit)
        job.started = True
        journal.record_job_start(job.request)

    async def _watch(self, job: Job) -> None:
        job.unwatch = await self._systemd.watch_path(
            names.unit_path(job.unit), lambda values: self._on_unit_change(job, values)
        )

    async def _catch_up(self, job: Job) -> None:
        """Process what the unit did before its start signals were distinct from older ones."""
        job.started = True
        if await self._systemd.get_active_state(job.unit) not in ENDED:
            self._advance(job, await self._systemd.get_status_text(job.unit))
        elif job.result is None:
            self._end(job)

    def _on_unit_change(self, job: Job, values: Mapping[str, Any]) -> None:
        if job.result is not None:
            return
        if values.get("StatusText"):
            self._advance(job, values["StatusText"])
        if job.started and values.get("ActiveState") in ENDED:
            self._end(job)

    def _advance(self, job: Job, status: str) -> None:
        try:
            progress = decode_record(Progress, json.loads(status))
        except (ValueError, RecursionError):
            return
        job.show_progress(progress)
        if job.request.reads_only:
            job.findings = self._store.read_findings(job.job_id)
        self._changed(job)

    def _end(self, job: Job) -> None:
        """The unit is gone: what it left is the result, and if it left none, that is one too."""
        if (result := self._store.read_result(job.job_id)) is not None:
            self._show_end(job, result)
        elif self._store.has_result(job.job_id):
            self._show_end(job, job_state.make_unreadable(job))
        else:
            self._finish(job, job_state.make_interruption(job))

    def _finish(self, job: Job, result: JobResult) -> None:
        """End a job that has left no result, or never had a unit, with this one."""
        self._store.keep_result(job.job_id, result)
        journal.record_job_end(job.request, result)
        self._show_end(job, result)

    def _show_end(self, job: Job, result: JobResult) -> None:
        job.show_result(result)
        self._store.delete_temporary_folder(job.job_id)
        if job.unwatch is not None:
            job.unwatch()
        self._changed(job)
        job.ended.set()
        self._start_waiting()

    def _drop(self, job: Job) -> None:
        if job.unwatch is not None:
            job.unwatch()
        del self._jobs[job.job_id]
        self._store.delete(job.job_id)
        self._start_waiting()

    def _prune(self) -> None:
        for job in history.find_surplus(self._jobs.values()):
            del self._jobs[job.job_id]
            self._store.delete(job.job_id)
            self._forgotten(job)
