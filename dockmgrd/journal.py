# SPDX-License-Identifier: LGPL-2.1-or-later
"""Entries for the journal: structured ones for what happened to the host, and the programs' log."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    # What systemd.journal.send calls; the rest of that module is slow to load, see _JournalHandler.
    from systemd._journal import sendv

    fields = {
        "MESSAGE": entry.message,
        "MESSAGE_ID": entry.message_id,
        "PRIORITY": str(entry.priority),
        "SYSLOG_IDENTIFIER": "dockmgrd",
        **entry.fields,
    }
    sendv(*(f"{name}={value}" for name, value in fields.items()))


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
            import systemd.journal

            self._journal = systemd.journal.JournalHandler(SYSLOG_IDENTIFIER=self._identifier)
        self._journal.emit(record)


def under_systemd() -> bool:
    """Whether systemd connected our standard error with the journal."""
    return "JOURNAL_STREAM" in os.environ
