# SPDX-License-Identifier: LGPL-2.1-or-later
"""The records that daemon, job, worker and CLI share. No D-Bus types, no dnf types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockmgrd.codec import Count, Fraction, Uint32
from dockmgrd.enums import JobState, Kind, Stage
from dockmgrd.messages.text import NOTHING, Text


@dataclass(frozen=True)
class Numbers:
    """What a stage has done so far, in figures; 0 where it cannot be said."""

    bytes_done: Count = 0
    bytes_total: Count = 0
    rate: Count = 0
    """Bytes a second."""
    item: Uint32 = 0
    """Which of the `items`, such as packages, it is at; the first is 1."""
    items: Uint32 = 0


NO_NUMBERS = Numbers()


@dataclass(frozen=True)
class Progress:
    """Where a job is: `fraction` of its whole, 0 to 1, and whether it may still be cancelled."""

    stage: Stage = Stage.PREPARING
    fraction: Fraction = 0.0
    message: Text = NOTHING
    cancellable: bool = True
    numbers: Numbers = NO_NUMBERS


@dataclass(frozen=True)
class Authorization:
    """One action of polkit, and what it would be done to: `$(key)` in the policy's message."""

    action: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobRequest:
    """What a caller asked for, frozen before polkit is asked, and written to request.json."""

    job_id: str
    kind: Kind
    options: Mapping[str, Any]
    caller_uid: Uint32
    created_at: Count
    """Microseconds since the epoch."""
    granted: tuple[Authorization, ...] = ()
    """What polkit has allowed the caller."""
    origin: str = ""
    """The part of dockmgrd that requested it, such as MIRROR_WATCH; "" for a user."""

    @property
    def reads_only(self) -> bool:
        """Whether the job changes nothing on the host, so that it need not wait for others."""
        asks = self.kind in (Kind.PROBE, Kind.LIST_VERSIONS, Kind.PROBE_SOURCES)
        return asks or bool(self.options.get("dry-run", False))


@dataclass(frozen=True)
class JobResult:
    """How a job ended, as result.json holds it. `error_name` and `error` are empty when done."""

    state: JobState
    finished_at: Count
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
