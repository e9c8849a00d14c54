# SPDX-License-Identifier: LGPL-2.1-or-later
"""What systemd says about units: their state, and why a job of theirs failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockmgrd.errors import RemoteError, ServiceFailed
from dockmgrd.messages import engine as messages
from dockmgrd.messages import words

ENDED = ("inactive", "failed")
"""Values of ActiveState in which nothing of the unit runs."""


@dataclass(frozen=True)
class UnitState:
    """systemd's own words for a unit. All but `load_state` may be empty for one not loaded."""

    load_state: str
    active_state: str
    unit_file_state: str
    fragment_path: str
    drop_ins: tuple[str, ...]

    @property
    def active(self) -> bool:
        return self.active_state in ("active", "reloading")


def make_failure(method: str, unit: str, result: str) -> ServiceFailed:
    """The error of a unit job that ended with this result."""
    text = messages.UNIT_FAILED(action=words.GERUNDS[method](), unit=unit, result=result)
    remedy = messages.LOOK_AT_UNIT_LOG(unit=unit)
    return ServiceFailed(text.with_remedy(remedy, f"journalctl -u {unit}"))


def make_refusal(method: str, units: Sequence[str], error: RemoteError) -> ServiceFailed:
    """The error of a call that systemd refused."""
    text = messages.UNIT_REFUSED(
        action=words.VERBS[method](), units=list(units), reason=error.reply.rstrip(".")
    )
    if len(units) != 1:
        return ServiceFailed(text)
    remedy = messages.LOOK_AT_UNIT_LOG(unit=units[0])
    return ServiceFailed(text.with_remedy(remedy, f"systemctl status {units[0]}"))
