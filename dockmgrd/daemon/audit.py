# SPDX-License-Identifier: LGPL-2.1-or-later
"""The record of all requests in the journal: who sent what, and who authorized or denied it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from dockmgrd import names
from dockmgrd.enums import Kind
from dockmgrd.errors import DockmgrError, harmless
from dockmgrd.model import Authorization
from dockmgrd.sd import journal

_WINDOW_SECONDS = 60.0
MAX_ENTRIES: Mapping[str, int] = {"allowed": 60, "denied": 60, "invalid": 20}
"""Entries of a user in a window, by decision."""
_MAX_MESSAGE_LENGTH = 1000
_MAX_REQUEST_LENGTH = 4000


@dataclass(frozen=True)
class Identity:
    """Who sent a request: the user, and the unique name of the connection."""

    uid: int
    sender: str
    find_unit: Callable[[], Awaitable[str]]
    """Returns the systemd unit of the caller, "" if it is unknown. Called only when an entry is
    written.
    """


@dataclass
class _Budget:
    """Counts each user's entries: journald drops entries that come too fast, and those could be
    our record of other users.
    """

    begun: float = 0.0
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)

    def count(self, uid: int, decision: str) -> int:
        """Count an entry, and return how many of its kind the user has had in this window."""
        now = time.monotonic()
        if now - self.begun >= _WINDOW_SECONDS:
            self.begun = now
            self.counts.clear()
        self.counts[uid, decision] += 1
        return self.counts[uid, decision]


_budget = _Budget()


async def record_allowed(
    verb: Kind | str, identity: Identity, authorizations: Iterable[Authorization]
) -> None:
    """Record that a user may have the request done, and who authorized it."""
    authorizations = tuple(authorizations)
    decider = "root" if identity.uid == 0 else "polkit" if authorizations else "nobody"
    by = "not needed" if decider == "nobody" else f"by {decider}"
    entry = journal.Entry(
        f"was authorized for {_name(verb)} ({by}){_format_all(authorizations)}",
        message_id=names.MESSAGE_ALLOWED,
        priority=journal.NOTICE if authorizations else journal.INFO,
        fields={"DOCKMGR_RESULT": "allowed", "DOCKMGR_DECIDED_BY": decider},
    )
    await _record(entry, verb, identity, authorizations)


async def record_denied(
    verb: Kind | str,
    identity: Identity,
    error: DockmgrError,
    authorizations: Iterable[Authorization],
) -> None:
    """Record that a user was denied the request."""
    entry = journal.Entry(
        f"was denied {_name(verb)}: {error.message}",
        message_id=names.MESSAGE_DENIED,
        priority=journal.WARNING,
        fields={"DOCKMGR_RESULT": "denied", "DOCKMGR_ERROR": error.dbus_name},
    )
    await _record(entry, verb, identity, tuple(authorizations))


async def record_invalid(verb: Kind | str, identity: Identity, error: DockmgrError) -> None:
    """Record that a user sent a request that is not valid."""
    entry = journal.Entry(
        f"sent an invalid {_name(verb)} request: {error.message}",
        message_id=names.MESSAGE_INVALID,
        priority=journal.NOTICE,
        fields={"DOCKMGR_RESULT": "invalid", "DOCKMGR_ERROR": error.dbus_name},
    )
    await _record(entry, verb, identity, ())


async def _record(
    entry: journal.Entry,
    verb: Kind | str,
    identity: Identity,
    authorizations: tuple[Authorization, ...],
) -> None:
    """Write the entry with the caller's identity, unless the user has had too many of its kind."""
    decision = entry.fields["DOCKMGR_RESULT"]
    count = _budget.count(identity.uid, decision)
    if identity.uid != 0 and count > MAX_ENTRIES[decision]:
        return
    unit = await identity.find_unit()
    fields = {
        "DOCKMGR_ACTION": _name(verb),
        "DOCKMGR_REQUEST": _cut(_format_all(authorizations).lstrip(": "), _MAX_REQUEST_LENGTH),
        "DOCKMGR_CALLER_UID": str(identity.uid),
        "DOCKMGR_CALLER_SENDER": identity.sender,
        "DOCKMGR_CALLER_UNIT": harmless(unit),
        **entry.fields,
    }
    place = f"{identity.sender}, {unit}" if unit else identity.sender
    message = _cut(f"User {identity.uid} ({place}) {entry.message}", _MAX_MESSAGE_LENGTH)
    if identity.uid != 0 and count == MAX_ENTRIES[decision]:
        message += " Further entries for this user are suppressed for up to a minute."
    journal.record(journal.Entry(message, entry.message_id, entry.priority, fields))


def _cut(text: str, length: int) -> str:
    """The text made harmless, and its beginning only if it is longer than that."""
    clean = harmless(text)
    return clean if len(clean) <= length else f"{clean[:length]}\N{HORIZONTAL ELLIPSIS}"


def _name(verb: Kind | str) -> str:
    return verb.value if isinstance(verb, Kind) else verb


def _format_all(authorizations: tuple[Authorization, ...]) -> str:
    """The actions with their details, to be the end of a sentence."""
    formatted = [
        " ".join([each.action, *(f"{key}={value}" for key, value in each.details.items() if value)])
        for each in authorizations
    ]
    return f": {'; '.join(formatted)}" if formatted else "."
