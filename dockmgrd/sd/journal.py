# SPDX-License-Identifier: LGPL-2.1-or-later
"""Journal entries of jobs and internal errors, and the log of each program."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockmgrd import names
from dockmgrd.enums import JobState
from dockmgrd.errors import Internal, harmless
from dockmgrd.messages import jobs as messages
from dockmgrd.model import JobRequest, JobResult
from dockmgrd.sd import protocols

logger = logging.getLogger(__name__)

ERROR = 3
WARNING = 4
NOTICE = 5
INFO = 6


@dataclass(frozen=True)
class Entry:
    """One structured entry. `priority` is syslog's; fields have journal names (capitals)."""

    message: str
    message_id: str
    priority: int = INFO
    fields: Mapping[str, str] = field(default_factory=dict)


def record(entry: Entry) -> None:
    """Send the entry to journald, or to standard error where no journald listens."""
    if not under_systemd():
        print(entry.message, file=sys.stderr)
        return
    fields = {
        "MESSAGE": entry.message,
        "MESSAGE_ID": entry.message_id,
        "PRIORITY": str(entry.priority),
        "SYSLOG_IDENTIFIER": "dockmgrd",
        **entry.fields,
    }
    protocols.send_entry(*(f"{name}={value}" for name, value in fields.items()))


def set_up_logging(identifier: str) -> None:
    """Send the log of this process to the journal under that name, or to standard error."""
    handler: logging.Handler = logging.StreamHandler()
    if under_systemd():
        handler = _JournalHandler(identifier)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class _JournalHandler(logging.Handler):
    """Sends records to the journal. What does that is slow to load, and most processes of ours
    log nothing.
    """

    def __init__(self, identifier: str) -> None:
        super().__init__()
        self._identifier = identifier
        self._journal: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._journal is None:
            self._journal = protocols.make_journal_handler(self._identifier)
        self._journal.emit(record)


def under_systemd() -> bool:
    """Whether systemd connected our standard error with the journal."""
    return "JOURNAL_STREAM" in os.environ


_ENDS: Mapping[JobState, tuple[str, int]] = {
    JobState.DONE: (names.MESSAGE_JOB_DONE, NOTICE),
    JobState.FAILED: (names.MESSAGE_JOB_FAILED, ERROR),
    JobState.CANCELLED: (names.MESSAGE_JOB_CANCELLED, NOTICE),
    JobState.INTERRUPTED: (names.MESSAGE_JOB_INTERRUPTED, WARNING),
}


def record_job_start(request: JobRequest) -> None:
    """Record that the job's unit has been started."""
    _record_job(request, names.MESSAGE_JOB_STARTED, NOTICE, "started")


def record_job_join(request: JobRequest, uid: int) -> None:
    """Record that another user, who requested the same, waits for the job, too."""
    record(
        Entry(
            f"User {uid} joined job {request.job_id} ({request.kind.value}) "
            f"of user {request.caller_uid}.",
            message_id=names.MESSAGE_JOB_JOINED,
            priority=NOTICE,
            fields={
                "DOCKMGR_JOB_ID": request.job_id,
                "DOCKMGR_ACTION": request.kind.value,
                "DOCKMGR_CALLER_UID": str(uid),
                "DOCKMGR_RESULT": "joined",
            },
        )
    )


def record_job_end(request: JobRequest, result: JobResult) -> None:
    """Record how the job ended."""
    message_id, priority = _ENDS[result.state]
    _record_job(
        request,
        message_id,
        priority,
        result.state.value,
        error_name=result.error_name,
        error_message=result.error_message,
    )


def _record_job(
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
    record(
        Entry(
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


def report_incident(error: Exception) -> Internal:
    """Log a fault of ours with its traceback, and make the error that the caller may see."""
    incident = os.urandom(6).hex()
    entry = Entry(
        f"Unexpected error, incident {incident}: {type(error).__name__}",
        message_id=names.MESSAGE_INTERNAL_ERROR,
        priority=ERROR,
        fields={"DOCKMGR_INCIDENT": incident},
    )
    try:
        record(entry)
        logger.error("incident %s", incident, exc_info=error)
    except (OSError, ImportError):
        # The journal's library is loaded when it is needed, which can be when no file can be
        # opened any more. The caller gets an answer all the same.
        print(entry.message, harmless(str(error)), file=sys.stderr)
    text = messages.INTERNAL_ERROR(incident=incident)
    command = f"journalctl DOCKMGR_INCIDENT={incident}"
    return Internal(text.with_remedy(messages.REPORT_INCIDENT(), command))
