# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs as a client sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockmgrd.cli.commands.exitcodes import make_error
from dockmgrd.errors import DockmgrError, InvalidArgs, UnknownObject
from dockmgrd.model import JobState, Kind

KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
"""Commands that are jobs, whose answer is the job's result."""


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

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> JobRecord:
        """The record of what GetAll returns, variants opened.

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
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobRecord:
        """The record that `to_json` wrote, be it on another host and of another version."""
        camel = {"".join(map(str.title, key.split("-"))): value for key, value in data.items()}
        return cls.from_properties(camel)

    @property
    def running(self) -> bool:
        return self.state == JobState.RUNNING.value

    @property
    def done(self) -> bool:
        return self.state == JobState.DONE.value

    def error(self) -> DockmgrError:
        """The error with which the job ended."""
        message = self.error_message or f"Job {self.job_id} ended as {self.state}."
        error = make_error(self.error_name, message)
        error.details = self.result
        return error

    def to_json(self) -> dict[str, Any]:
        """The record under keys that are spelled like those of Status."""
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
        }


def find(jobs: Sequence[JobRecord], wanted: str) -> JobRecord:
    """The job with that id, or the only one whose id ends so.

    :raises UnknownObject: when there is none.
    :raises InvalidArgs: when there are several.
    """
    for job in jobs:
        if job.job_id == wanted:
            return job
    fitting = [job for job in jobs if wanted and job.job_id.endswith(wanted)]
    if len(fitting) > 1:
        ids = ", ".join(job.job_id for job in fitting[:3])
        raise InvalidArgs(f"Several jobs end in '{wanted}' ({ids} …); give more of the id.")
    if not fitting:
        raise UnknownObject(f"There is no job '{wanted}'; 'dockmgrctl jobs' lists them.")
    return fitting[0]
