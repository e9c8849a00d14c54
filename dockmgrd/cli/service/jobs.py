# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs as a client sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dockmgrd.cli.commands.exitcodes import make_error
from dockmgrd.cli.i18n.translation import Message
from dockmgrd.enums import JobState
from dockmgrd.errors import DockmgrError, InvalidArgs, UnknownObject, quote
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import Text, from_plain
from dockmgrd.messages.words import describe_state

_LIST_COMMAND = "dockmgrctl jobs"
_MAX_IDS_SHOWN = 3


@dataclass(frozen=True)
class JobRecord:
    """The properties of a job object at one moment. Times are microseconds since the epoch."""

    job_id: str
    kind: str
    initiator_uid: int
    created_at: int
    unit: str
    stage: str
    progress: float
    message: str
    cancellable: bool
    state: str
    error_name: str
    error_message: str
    result: Mapping[str, Any]
    finished_at: int
    message_id: str = ""
    message_args: Mapping[str, Any] = field(default_factory=dict)
    error_details: Mapping[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    origin: str = ""
    """The part of dockmgrd that requested it; "" for a user."""
    bytes_done: int = 0
    bytes_total: int = 0
    rate: int = 0
    item: int = 0
    items: int = 0

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> JobRecord:
        """Return the record of what GetAll returns, without variants.

        A service of another version may leave a property out.
        """
        return cls(
            job_id=properties.get("Id", ""),
            kind=properties.get("Kind", ""),
            initiator_uid=properties.get("InitiatorUid", 0),
            created_at=properties.get("CreatedAt", 0),
            unit=properties.get("Unit", ""),
            stage=properties.get("Stage", ""),
            progress=properties.get("Progress", 0.0),
            message=properties.get("Message", ""),
            cancellable=properties.get("Cancellable", False),
            state=properties.get("State", JobState.RUNNING.value),
            error_name=properties.get("ErrorName", ""),
            error_message=properties.get("ErrorMessage", ""),
            result=properties.get("Result", {}),
            finished_at=properties.get("FinishedAt", 0),
            message_id=properties.get("MessageId", ""),
            message_args=properties.get("MessageArgs", {}),
            error_details=properties.get("ErrorDetails", {}),
            dry_run=properties.get("DryRun", properties.get("Result", {}).get("dry-run", False)),
            origin=properties.get("Origin", ""),
            bytes_done=properties.get("BytesDone", 0),
            bytes_total=properties.get("BytesTotal", 0),
            rate=properties.get("Rate", 0),
            item=properties.get("Item", 0),
            items=properties.get("Items", 0),
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobRecord:
        """Return the record that `to_json` wrote, maybe on another host in another version."""
        camel = {"".join(map(str.title, key.split("-"))): value for key, value in data.items()}
        return cls.from_properties(camel)

    @property
    def is_running(self) -> bool:
        return self.state == JobState.RUNNING.value

    @property
    def is_done(self) -> bool:
        return self.state == JobState.DONE.value

    @property
    def short_id(self) -> str:
        """The random part of the id, which is enough to name the job."""
        return self.job_id.rpartition("_")[2]

    @property
    def progress_message(self) -> Message:
        """What the job is doing in its stage."""
        return {"id": self.message_id, "text": self.message, "args": self.message_args}

    @property
    def end_message(self) -> Message:
        """Why the job has failed; the last progress message if it has not."""
        if not self.error_message:
            return self.progress_message
        return self.error_details or self.error_message

    def make_error(self) -> DockmgrError:
        """Return the error with which the job ended."""
        error = make_error(self.error_name, self._make_error_text())
        error.details = self.result
        return error

    def _make_error_text(self) -> Text | str:
        try:
            if self.error_details.get("text") == self.error_message:
                return from_plain(self.error_details)
        except (KeyError, TypeError, ValueError):
            pass  # the details of another version
        return self.error_message or messages.JOB_ENDED_AS(
            job=self.job_id, state=describe_state(self.state)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record with keys that are spelled like those of Status."""
        return {
            "id": self.job_id,
            "kind": self.kind,
            "initiator-uid": self.initiator_uid,
            "created-at": self.created_at,
            "unit": self.unit,
            "stage": self.stage,
            "progress": self.progress,
            "message": self.message,
            "cancellable": self.cancellable,
            "state": self.state,
            "error-name": self.error_name,
            "error-message": self.error_message,
            "result": dict(self.result),
            "finished-at": self.finished_at,
            "message-id": self.message_id,
            "message-args": dict(self.message_args),
            "error-details": dict(self.error_details),
            "dry-run": self.dry_run,
            "origin": self.origin,
        }


def find_job(jobs: Sequence[JobRecord], wanted: str) -> JobRecord:
    """Return the job with that id, or the only one whose id ends so.

    :param jobs: the newest first.
    :param wanted: "" stands for the job that is running, or for the last one.
    :raises UnknownObject: if there is none.
    :raises InvalidArgs: if there are several.
    """
    if not wanted and jobs:
        return next((job for job in jobs if job.is_running), jobs[0])
    if not wanted:
        raise UnknownObject(messages.NO_JOBS())
    for job in jobs:
        if job.job_id == wanted:
            return job
    fitting = [job for job in jobs if job.job_id.endswith(wanted)]
    if len(fitting) > 1:
        ids = [job.job_id for job in fitting[:_MAX_IDS_SHOWN]]
        text = messages.JOB_AMBIGUOUS(ending=quote(wanted), jobs=ids)
        raise InvalidArgs(text.with_remedy(messages.GIVE_MORE_OF_THE_ID()))
    if not fitting:
        text = messages.NO_SUCH_JOB(job=quote(wanted))
        raise UnknownObject(text.with_remedy(messages.LIST_JOBS(), _LIST_COMMAND))
    return fitting[0]


def find_running_job(jobs: Sequence[JobRecord], wanted: str) -> JobRecord:
    """Return the job as `find_job`, where "" stands for the job that is running.

    :raises UnknownObject, InvalidArgs: as `find_job`.
    """
    running = [job for job in jobs if job.is_running]
    if not wanted and not running:
        raise UnknownObject(messages.NO_RUNNING_JOB())
    return find_job(jobs if wanted else running, wanted)
