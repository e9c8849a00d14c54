# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the mirror watch has found in its last runs, as a file in the state folder.

Whatever is in the file, reading it raises nothing: what the watch has not written is not there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dockmgrd import paths
from dockmgrd.codec import Count, Uint32, decode_record, encode_record
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import atomicfile
from dockmgrd.messages.text import NOTHING, Text

OK = "ok"
"""The verdict of a mirror that works. Other verdicts say why one does not."""
MAX_FILE_BYTES = 1 << 20
_VERSION = 1  # of the file's form


class Outcome(Enum):
    """How the last run ended for a registry."""

    WORKS = "works"
    FIRST_FAILED = "first-failed"
    REORDERED = "reordered"
    NONE_WORKS = "none-works"
    UNKNOWN = "unknown"
    """Nothing is known about the first mirror, because this host keeps it from being tried."""
    BUSY = "busy"
    """Another job was changing the host when the order should change."""
    LIST_CHANGED = "list-changed"
    """Somebody has changed the mirrors during the run."""
    ENGINE_STOPPED = "engine-stopped"
    FAILED = "failed"
    """The job that should change the order, or try the mirrors, has failed."""


@dataclass(frozen=True)
class Check:
    """The result for one mirror: `verdict` and `cause` are those of a probe."""

    mirror: str
    verdict: str
    seconds: float = 0.0
    """The duration of the pull."""
    cause: Text = NOTHING
    differs: bool = False
    """Its image is not that of most mirrors."""

    @property
    def works(self) -> bool:
        return self.verdict == OK


@dataclass(frozen=True)
class Watched:
    """A registry with the results of the last run that tried its mirrors."""

    registry: str
    checked_at: Count = 0
    """Microseconds since the epoch."""
    mirrors: tuple[str, ...] = ()
    """The mirrors in the order in which the run left them."""
    checks: tuple[Check, ...] = ()
    failures: Uint32 = 0
    """Runs in a row in which the first mirror failed."""
    outcome: Outcome = Outcome.WORKS
    none_works: bool = False
    """Whether no mirror worked when they were tried last."""


@dataclass(frozen=True)
class Record:
    """All registries that are watched."""

    registries: tuple[Watched, ...] = ()
    version: Uint32 = _VERSION

    def find(self, registry: str) -> Watched | None:
        return next((each for each in self.registries if each.registry == registry), None)

    def with_registry(self, watched: Watched) -> Record:
        """The record with this entry in place of the former one of its registry."""
        others = (each for each in self.registries if each.registry != watched.registry)
        return Record((*others, watched))


EMPTY = Record()


def read(path: Path = paths.WATCH_RECORD) -> Record:
    """The record; an empty one where there is none that can be read."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return EMPTY
        content = atomicfile.read(path)
        record = decode_record(Record, json.loads(content or b"{}"))
    except (OSError, ConfigInvalid, ValueError, RecursionError):
        return EMPTY
    return record if record.version == _VERSION else EMPTY


def write(record: Record, path: Path = paths.WATCH_RECORD) -> None:
    """:raises InsufficientSpace, WriteFailed: when it cannot be kept; the file is as it was."""
    content = json.dumps(encode_record(record), indent=1, ensure_ascii=False)
    atomicfile.replace(path, f"{content}\n".encode(), mode=0o600)
