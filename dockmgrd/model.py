# SPDX-License-Identifier: LGPL-2.1-or-later
"""The records that daemon, job, worker and CLI share. No D-Bus types, no dnf types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any

from dockmgrd.messages.text import NOTHING, Text, foreign_text, from_plain

_MAX_U32 = 2**32 - 1
_MAX_TIME = 2**63 - 1


class Kind(Enum):
    """What a job is for. The value is what the bus, the journal and the request file say."""

    INSTALL = "install"
    SET_MIRROR = "set-mirror"
    PROBE = "probe"
    UNINSTALL = "uninstall"
    LIST_VERSIONS = "versions"


class JobState(Enum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Stage(Enum):
    """Steps of a job, in the words that a person sees."""

    PREPARING = "preparing"
    METADATA = "metadata"
    RESOLVING = "resolving"
    DOWNLOADING = "downloading"
    CHECKING = "checking"
    INSTALLING = "installing"
    CONFIGURING = "configuring"
    STARTING = "starting"
    STOPPING = "stopping"
    REMOVING = "removing"
    VERIFYING = "verifying"
    PROBING = "probing"
    PURGING = "purging"
    FINISHED = "finished"


@dataclass(frozen=True)
class Numbers:
    """What a stage has done so far, in figures; 0 where it cannot be said."""

    bytes_done: int = 0
    bytes_total: int = 0
    rate: int = 0
    """Bytes a second."""
    item: int = 0
    """Which of the `items`, such as packages, it is at; the first is 1."""
    items: int = 0

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Numbers:
        """:raises ValueError: for what is not a number in the range of its property."""
        limits = {"item": _MAX_U32, "items": _MAX_U32}
        return cls(
            **{
                each.name: _parse_whole(data.get(each.name, 0), limits.get(each.name, _MAX_TIME))
                for each in fields(cls)
            }
        )


NO_NUMBERS = Numbers()


@dataclass(frozen=True)
class Progress:
    """Where a job is: `fraction` of its whole, 0 to 1, and whether it may still be cancelled."""

    stage: Stage = Stage.PREPARING
    fraction: float = 0.0
    message: Text = NOTHING
    cancellable: bool = True
    numbers: Numbers = NO_NUMBERS

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage.value,
            "fraction": round(self.fraction, 4),
            "message": self.message.to_plain(),
            "cancellable": self.cancellable,
            **self.numbers.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        """:raises KeyError, ValueError: when the data is not what `to_json` wrote."""
        return cls(
            stage=Stage(data["stage"]),
            fraction=min(max(0.0, float(data["fraction"])), 1.0),
            message=from_plain(data["message"]),
            cancellable=bool(data["cancellable"]),
            numbers=Numbers.from_json(data),
        )


@dataclass(frozen=True)
class JobRequest:
    """What a caller asked for, frozen before polkit is asked, and written to request.json."""

    job_id: str
    kind: Kind
    options: Mapping[str, Any]
    caller_uid: int
    created_at: int
    """Microseconds since the epoch."""
    granted: tuple[Mapping[str, Any], ...] = ()
    """The questions that were answered with yes, as `actions.Question.to_json` has them."""

    @property
    def reads_only(self) -> bool:
        """Whether the job changes nothing on the host, so that it need not wait for others."""
        asks = self.kind in (Kind.PROBE, Kind.LIST_VERSIONS)
        return asks or bool(self.options.get("dry-run", False))

    def to_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "id": self.job_id,
            "kind": self.kind.value,
            "options": dict(self.options),
            "caller_uid": self.caller_uid,
            "created_at": self.created_at,
            "granted": [dict(each) for each in self.granted],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobRequest:
        """:raises KeyError, ValueError: when the data is not what `to_json` wrote."""
        if data["version"] != 1:
            raise ValueError(f"request of version {data['version']}")
        return cls(
            job_id=str(data["id"]),
            kind=Kind(data["kind"]),
            options=dict(data["options"]),
            caller_uid=_parse_whole(data["caller_uid"], _MAX_U32),
            created_at=_parse_whole(data["created_at"], _MAX_TIME),
            granted=tuple(dict(each) for each in data.get("granted", ())),
        )


@dataclass(frozen=True)
class JobResult:
    """How a job ended, as result.json holds it. `error_name` and `error` are empty when done."""

    state: JobState
    finished_at: int
    """Microseconds since the epoch."""
    result: Mapping[str, Any] = field(default_factory=dict)
    error_name: str = ""
    error: Text = NOTHING

    @property
    def error_message(self) -> str:
        """The English text of the error."""
        return str(self.error)

    @property
    def error_details(self) -> dict[str, Any]:
        """The error's name and message with id and arguments; nothing when there is none."""
        return {"name": self.error_name, **self.error.to_plain()} if self.error_name else {}

    def to_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "state": self.state.value,
            "finished_at": self.finished_at,
            "result": dict(self.result),
            "error_name": self.error_name,
            "error_message": self.error_message,
            "error": self.error.to_plain(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobResult:
        """:raises KeyError, ValueError: when the data is not what `to_json` wrote."""
        return cls(
            state=JobState(data["state"]),
            finished_at=_parse_whole(data["finished_at"], _MAX_TIME),
            result=dict(data["result"]),
            error_name=str(data["error_name"]),
            error=_error_from_json(data),
        )


def _parse_whole(value: Any, limit: int) -> int:
    """:raises ValueError: for what is not a whole number of 0 to the limit."""
    if not isinstance(value, int) or not 0 <= value <= limit:
        raise ValueError(f"{value!r} is not a whole number of 0 to {limit}")
    return int(value)


def _error_from_json(data: Mapping[str, Any]) -> Text:
    """The error of a result; results of version 0.1.0 hold its English text alone."""
    if "error" in data:
        return from_plain(data["error"])
    return foreign_text(str(data["error_message"]))
