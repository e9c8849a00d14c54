# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the journal keeps of each job: that it has started, for whom, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping

from dockmgrd import journal, names
from dockmgrd.errors import harmless
from dockmgrd.model import JobRequest, JobResult, JobState

_ENDS: Mapping[JobState, tuple[str, int]] = {
    JobState.DONE: (names.MESSAGE_JOB_DONE, journal.NOTICE),
    JobState.FAILED: (names.MESSAGE_JOB_FAILED, journal.ERROR),
    JobState.CANCELLED: (names.MESSAGE_JOB_CANCELLED, journal.NOTICE),
    JobState.INTERRUPTED: (names.MESSAGE_JOB_INTERRUPTED, journal.WARNING),
}


def started(request: JobRequest) -> None:
    """Record that the job's unit has been started."""
    _record(request, names.MESSAGE_JOB_STARTED, journal.NOTICE, "started")


def ended(request: JobRequest, result: JobResult) -> None:
    """Record how the job ended."""
    message_id, priority = _ENDS[result.state]
    _record(
        request,
        message_id,
        priority,
        result.state.value,
        error_name=result.error_name,
        error_message=result.error_message,
    )


def _record(
    request: JobRequest,
    message_id: str,
    priority: int,
    word: str,
    *,
    error_name: str = "",
    error_message: str = "",
) -> None:
    kind, uid = request.kind.value, request.caller_uid
    reason = f": {error_message}" if error_message else "."
    journal.record(
        journal.Entry(
            harmless(f"Job {request.job_id} ({kind}) of user {uid} {word}{reason}"),
            message_id=message_id,
            priority=priority,
            fields={
                "DOCKMGR_JOB_ID": request.job_id,
                "DOCKMGR_ACTION": kind,
                "DOCKMGR_CALLER_UID": str(uid),
                "DOCKMGR_RESULT": word,
                **({"DOCKMGR_ERROR": error_name} if error_name else {}),
            },
        )
    )
