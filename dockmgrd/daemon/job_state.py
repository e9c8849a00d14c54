# SPDX-License-Identifier: LGPL-2.1-or-later
"""One job as the daemon knows it, and the results of jobs that left none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockmgrd import errors, names, paths
from dockmgrd.enums import JobState, Stage
from dockmgrd.messages import jobs as messages
from dockmgrd.messages.text import Text
from dockmgrd.messages.words import describe_stage, describe_state
from dockmgrd.model import JobRequest, JobResult, Progress


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
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while the job cannot be canceled, and at its end."""
    users: set[int] = field(default_factory=set)
    """Users who submitted this request and have not canceled it."""
    authorized: bool = False
    """Whether one of them is root, or was authorized for something by polkit."""
    waiting: bool = False
    """Whether it waits for a place to run in, and has no unit yet."""
    started: bool = False
    """Its unit has been up: from then on `inactive` means ended, not yet to begin."""
    unwatch: Callable[[], None] | None = None

    @property
    def job_id(self) -> str:
        return self.request.job_id

    @property
    def unit(self) -> str:
        return names.job_unit(self.job_id)

    @property
    def state(self) -> JobState:
        return self.result.state if self.result else JobState.RUNNING

    @property
    def owners(self) -> set[int]:
        """The users for whom the result is kept."""
        return self.users | {self.request.caller_uid}

    def show_progress(self, progress: Progress) -> None:
        """Take over where the job is. It never goes back, and it ends with its result alone."""
        fraction = max(progress.fraction, self.progress.fraction)
        if progress.stage is Stage.FINISHED:
            self.progress = replace(self.progress, cancellable=False)
        else:
            self.progress = replace(progress, fraction=fraction)
        if self.progress.cancellable:
            self.committed.clear()
        else:
            self.committed.set()

    def show_result(self, result: JobResult) -> None:
        """End with the result, in one step. The caller sets `ended` then."""
        self.result = result
        self.waiting = False
        fraction = 1.0 if result.state is JobState.DONE else self.progress.fraction
        self.progress = Progress(Stage.FINISHED, fraction, cancellable=False)
        self.committed.set()

    def check_cancellable(self) -> None:
        """:raises NotCancellable: when it has ended, or must not be stopped now."""
        if self.result is not None:
            text = messages.JOB_HAS_ENDED(job=self.job_id, state=describe_state(self.state.value))
            raise errors.NotCancellable(text)
        if not self.progress.cancellable:
            text = messages.JOB_MUST_NOT_STOP(
                job=self.job_id, stage=describe_stage(self.progress.stage.value)
            )
            command = f"dockmgrctl follow {self.job_id}"
            raise errors.NotCancellable(text.with_remedy(messages.WAIT_FOR_JOB(), command))

    async def wait(self) -> Mapping[str, Any]:
        """The result, once the job has ended.

        :raises DockmgrError: the error with which the job ended.
        """
        await self.ended.wait()
        assert self.result is not None
        if self.result.error_name:
            raise errors.from_name(self.result.error_name, self.result.error)
        return self.result.result


def make_interruption(job: Job) -> JobResult:
    """The result of a job whose unit ended without leaving one."""
    text = messages.JOB_INTERRUPTED(job=job.job_id, stage=describe_stage(job.progress.stage.value))
    return _make_failure(
        JobState.INTERRUPTED, errors.Interrupted(text.with_remedy(messages.REPEAT_REQUEST()))
    )


def make_unreadable(job: Job) -> JobResult:
    """The result of a job that left one which cannot be read."""
    text = messages.JOB_RESULT_UNREADABLE(job=job.job_id, path=str(paths.JOBS / job.job_id))
    remedy = messages.SEE_JOB_LOG(job=job.job_id)
    error = errors.Interrupted(text.with_remedy(remedy, f"journalctl -u {job.unit}"))
    return _make_failure(JobState.INTERRUPTED, error)


def make_cancellation(job: Job) -> JobResult:
    """The result of a job that was canceled before it had a unit."""
    error = errors.Cancelled(messages.JOB_CANCELED(job=job.job_id))
    return _make_failure(JobState.CANCELLED, error)


def make_start_failure(error: errors.DockmgrError) -> JobResult:
    """The result of a job whose unit systemd did not start."""
    return _make_failure(JobState.FAILED, error)


def get_time() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def _make_failure(state: JobState, error: errors.DockmgrError) -> JobResult:
    text: Text = error.text.map_values(errors.redact)
    return JobResult(state, get_time(), error_name=error.dbus_name, error=text)
