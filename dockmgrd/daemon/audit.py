# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the journal keeps for the auditor: who asked for what, and who decided how."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockmgrd import journal, names
from dockmgrd.errors import DockmgrError, harmless
from dockmgrd.model import Kind

if TYPE_CHECKING:
    from dockmgrd.actions import Question

_SECONDS_OF_A_WINDOW = 60.0
# Entries of a user in a minute, by how it was decided.
_MOST: Mapping[str, int] = {"allowed": 60, "denied": 60, "invalid": 20}
_LONGEST_MESSAGE = 1000
_LONGEST_REQUEST = 4000


@dataclass(frozen=True)
class Caller:
    """Who asked: the user, and the unique name of the connection."""

    uid: int
    sender: str
    find_unit: Callable[[], Awaitable[str]]
    """Tells the systemd unit of the caller, "" where that is not known. Asked for only when an
    entry is written.
    """


@dataclass
class _Budget:
    """Counts each user's entries: journald drops what comes too fast, and that would be our own
    record of others.
    """

    begun: float = 0.0
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)

    def admit(self, uid: int, decision: str) -> int:
        """How many of its kind the user has had in this minute, this one included."""
        now = time.monotonic()
        if now - self.begun >= _SECONDS_OF_A_WINDOW:
            self.begun = now
            self.counts.clear()
        self.counts[uid, decision] += 1
        return self.counts[uid, decision]


_budget = _Budget()


async def allowed(verb: Kind | str, by: Caller, asked: Iterable[Question]) -> None:
    """Record that a user may do what they asked for, and by whose word."""
    asked = tuple(asked)
    decided = "root" if by.uid == 0 else "polkit" if asked else "nobody has to be asked"
    await _decided(
        journal.Entry(
            f"may {_name(verb)}, decided by {decided}{_told(asked)}",
            message_id=names.MESSAGE_ALLOWED,
            priority=journal.NOTICE if asked else journal.INFO,
            fields={"DOCKMGR_RESULT": "allowed", "DOCKMGR_DECIDED_BY": decided},
        ),
        verb,
        by,
        asked,
    )


async def denied(
    verb: Kind | str, by: Caller, error: DockmgrError, asked: Iterable[Question]
) -> None:
    """Record that a user was not allowed what they asked for."""
    await _decided(
        journal.Entry(
            f"was refused {_name(verb)}: {error.message}",
            message_id=names.MESSAGE_DENIED,
            priority=journal.WARNING,
            fields={"DOCKMGR_RESULT": "denied", "DOCKMGR_ERROR": error.dbus_name},
        ),
        verb,
        by,
        tuple(asked),
    )


async def invalid(verb: Kind | str, by: Caller, error: DockmgrError) -> None:
    """Record that a user asked for what cannot be asked for."""
    await _decided(
        journal.Entry(
            f"asked wrongly for {_name(verb)}: {error.message}",
            message_id=names.MESSAGE_INVALID,
            priority=journal.NOTICE,
            fields={"DOCKMGR_RESULT": "invalid", "DOCKMGR_ERROR": error.dbus_name},
        ),
        verb,
        by,
        (),
    )


async def _decided(
    entry: journal.Entry, verb: Kind | str, by: Caller, asked: tuple[Question, ...]
) -> None:
    """Write the entry with who asked for what, unless the user has had so many that it is noise."""
    decision = entry.fields["DOCKMGR_RESULT"]
    count = _budget.admit(by.uid, decision)
    if by.uid != 0 and count > _MOST[decision]:
        return
    unit = await by.find_unit()
    fields = {
        "DOCKMGR_ACTION": _name(verb),
        "DOCKMGR_REQUEST": _cut(_told(asked).lstrip(": "), _LONGEST_REQUEST),
        "DOCKMGR_CALLER_UID": str(by.uid),
        "DOCKMGR_CALLER_SENDER": by.sender,
        "DOCKMGR_CALLER_UNIT": harmless(unit),
        **entry.fields,
    }
    place = f"{by.sender}, {unit}" if unit else by.sender
    message = _cut(f"User {by.uid} ({place}) {entry.message}", _LONGEST_MESSAGE)
    if by.uid != 0 and count == _MOST[decision]:
        message += " This user's next ones of this minute are not recorded."
    journal.record(journal.Entry(message, entry.message_id, entry.priority, fields))


def _cut(text: str, length: int) -> str:
    """The text made harmless, and its beginning only when it is longer than that."""
    clean = harmless(text)
    return clean if len(clean) <= length else f"{clean[:length]}\N{HORIZONTAL ELLIPSIS}"


def _name(verb: Kind | str) -> str:
    return verb.value if isinstance(verb, Kind) else verb


def _told(asked: tuple[Question, ...]) -> str:
    """The actions and what they were about, to stand behind a sentence."""
    told = [
        " ".join([each.action, *(f"{key}={value}" for key, value in each.details.items() if value)])
        for each in asked
    ]
    return f": {'; '.join(told)}" if told else "."
