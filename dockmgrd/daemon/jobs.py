# SPDX-License-Identifier: LGPL-2.1-or-later
"""The jobs of this host as the daemon follows them: each is a systemd unit that outlives us."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockmgrd import errors, journal, names, paths
from dockmgrd.host.jobstore import JobStore, new_id
from dockmgrd.host.systemd import ENDED, Systemd
from dockmgrd.messages import jobs as messages
from dockmgrd.messages.text import Text
from dockmgrd.model import JobRequest, JobResult, JobState, Kind, Progress, Stage

logger = logging.getLogger(__name__)

JOBS_KEPT = 50
READING_JOBS_KEPT = 10
MOST_READING = 4
MOST_READING_OF_A_USER = 2


@dataclass(eq=False)
class Job:
    """One job and where it is. `result` is there when it has ended; `ended` wakes who waits.

    `findings` is what a job that only reads has found so far.
    """

    request: JobRequest
    progress: Progress = field(default_factory=Progress)
    result: JobResult | None = None
    findings: Mapping[str, Any] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    started: bool = False
    """Its unit has been up: from then on `inactive` means ended, not yet to begin."""
    unwatch: Callable[[], None] | None = None

    @property
    def job_id(self) -> str:
        return self.request.job_id

    @property
    def state(self) -> JobState:
        return self.result.state if self.result else JobState.RUNNING

    async def wait(self) -> Mapping[str, Any]:
        """The result, once the job has ended.

        :raises DockmgrError: the error with which the job ended.
        """
        await self.ended.wait()
        assert self.result is not None
        if self.result.error_name:
            raise errors.from_name(self.result.error_name, self.result.error)
        return self.result.result


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

    @property
    def active(self) -> Job | None:
        """The job that changes the host now."""
        return next((job for job in self.running if not job.request.reads_only), None)

    @property
    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self._jobs.values() if job.result is None]

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
            job_id = request.job_id
            job = Job(request, result=self._store.read_result(job_id))
            self._jobs[job_id] = job
            if job.result is None:
                await self._watch(job)
                await self._catch_up(job)
            else:
                job.ended.set()
            self._changed(job)
        self._prune()

    async def submit(
        self,
        kind: Kind,
        options: Mapping[str, Any],
        uid: int,
        granted: tuple[Mapping[str, Any], ...] = (),
    ) -> Job:
        """Start a job, or join the one that runs when it does the very same.

        :param granted: what the user was allowed; see `JobRequest`.

        :raises Busy: when another job changes the host.
        :raises LimitsExceeded: when too many are reading.
        :raises ServiceFailed: when systemd does not start it.
        """
        for running in self.running:
            if running.request.kind is kind and running.request.options == options:
                return running
        job = Job(JobRequest(new_id(), kind, dict(options), uid, _now(), granted))
        self._check_room(job.request)
        self._jobs[job.job_id] = job
        try:
            self._store.write_request(job.request)
            await self._watch(job)
            await self._systemd.start(names.job_unit(job.job_id))
        except errors.DockmgrError:
            self._drop(job)
            raise
        journal.record_job_start(job.request)
        self._changed(job)
        await self._catch_up(job)
        self._prune()
        return job

    def _check_room(self, request: JobRequest) -> None:
        """:raises Busy, LimitsExceeded: as `submit`."""
        if request.reads_only:
            uids = [job.request.caller_uid for job in self.running if job.request.reads_only]
            if len(uids) >= MOST_READING or (
                request.caller_uid and uids.count(request.caller_uid) >= MOST_READING_OF_A_USER
            ):
                raise errors.LimitsExceeded(
                    f"{len(uids)} jobs that only read run already; wait until one has ended, or "
                    "cancel it: 'dockmgrctl jobs' lists them."
                )
        elif (running := self.active) is not None:
            since = time.strftime("%H:%M:%S", time.localtime(running.request.created_at / 1e6))
            raise errors.Busy(
                f"Job {running.job_id} ({running.request.kind.value}) has been changing this host "
                f"since {since}; 'dockmgrctl follow {running.job_id}' shows it."
            )

    async def cancel(self, job: Job) -> None:
        """Ask the job to stop; it has ended when `job.ended` says so.

        :raises NotCancellable: when it is past the point, or has ended.
        """
        if job.result is not None:
            raise errors.NotCancellable(
                f"Job {job.job_id} has ended already; it is {job.state.value}."
            )
        if not job.progress.cancellable:
            raise errors.NotCancellable(
                f"Job {job.job_id} is {job.progress.stage.value} and must not be stopped half-way; "
                f"'dockmgrctl follow {job.job_id}' waits for its end."
            )
        await self._systemd.signal_main(names.job_unit(job.job_id), signal.SIGTERM)

    async def _watch(self, job: Job) -> None:
        path = names.unit_path(names.job_unit(job.job_id))
        job.unwatch = await self._systemd.watch_path(
            path, lambda values: self._unit_moved(job, values)
        )

    async def _catch_up(self, job: Job) -> None:
        """Take up what the unit did before signals of its start could be told from older ones."""
        unit = names.job_unit(job.job_id)
        job.started = True
        if await self._systemd.activity(unit) not in ENDED:
            self._advance(job, await self._systemd.status_text(unit))
        elif job.result is None:
            self._end(job)

    def _unit_moved(self, job: Job, values: Mapping[str, Any]) -> None:
        if job.result is not None:
            return
        if values.get("StatusText"):
            self._advance(job, values["StatusText"])
        if job.started and values.get("ActiveState") in ENDED:
            self._end(job)

    def _advance(self, job: Job, status: str) -> None:
        try:
            progress = Progress.from_json(json.loads(status))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            return
        fraction = max(progress.fraction, job.progress.fraction)
        job.progress = replace(progress, fraction=fraction)
        if job.request.reads_only:
            job.findings = self._store.read_findings(job.job_id)
        self._changed(job)

    def _end(self, job: Job) -> None:
        """The unit is gone: what it left is the result, and if it left none, that is one too."""
        result = self._store.read_result(job.job_id)
        if result is None and self._store.has_result(job.job_id):
            result = _make_failure(_describe_unreadable_result(job))
        elif result is None:
            result = _make_failure(_describe_interruption(job))
            self._store.keep_result(job.job_id, result)
            journal.record_job_end(job.request, result)
        job.result = result
        fraction = 1.0 if result.state is JobState.DONE else job.progress.fraction
        job.progress = Progress(Stage.FINISHED, fraction, cancellable=False)
        if job.unwatch is not None:
            job.unwatch()
        self._changed(job)
        job.ended.set()

    def _drop(self, job: Job) -> None:
        if job.unwatch is not None:
            job.unwatch()
        del self._jobs[job.job_id]
        self._store.delete(job.job_id)

    def _prune(self) -> None:
        """Forget old jobs; those that only read never take the place of those that changed."""
        for reads_only, kept in ((False, JOBS_KEPT), (True, READING_JOBS_KEPT)):
            jobs = [job for job in self._jobs.values() if job.request.reads_only is reads_only]
            ended = [job for job in jobs if job.result is not None]
            for job in ended[: max(0, len(jobs) - kept)]:
                del self._jobs[job.job_id]
                self._store.delete(job.job_id)
                self._forgotten(job)


def _make_failure(text: Text) -> JobResult:
    """The result of a job that did not say how it ended."""
    return JobResult(
        JobState.INTERRUPTED, _now(), error_name=errors.Interrupted.dbus_name, error=text
    )


def _describe_interruption(job: Job) -> Text:
    text = messages.JOB_INTERRUPTED(job=job.job_id, stage=job.progress.stage.value)
    return text.with_remedy(messages.REPEAT_REQUEST())


def _describe_unreadable_result(job: Job) -> Text:
    text = messages.JOB_RESULT_UNREADABLE(job=job.job_id, path=str(paths.JOBS / job.job_id))
    command = f"journalctl -u {names.job_unit(job.job_id)}"
    return text.with_remedy(messages.SEE_JOB_LOG(job=job.job_id), command)


def _now() -> int:
    return time.time_ns() // 1000
