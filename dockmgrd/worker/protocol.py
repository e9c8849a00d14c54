# SPDX-License-Identifier: LGPL-2.1-or-later
"""The protocol of job and package worker: one request in, events out, a JSON line each.

The last line is the outcome. The worker waits for the line `PROCEED` twice: after it has resolved
the request, because a dry run ends there, and before rpm writes, so that the job never kills a
worker that is writing. Both sides share no other module; this one imports nothing of dnf.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from dockmgrd.codec import Fraction, decode_record, encode_record
from dockmgrd.enums import Stage
from dockmgrd.messages.text import NOTHING, Text
from dockmgrd.model import NO_NUMBERS, Numbers

PROCEED = b"proceed\n"
MISSING = "missing"
"""Key of an error's details on either side: what `Outcome.missing` says."""


@dataclass(frozen=True)
class InstallPackages:
    """Install packages from our repository, with what they need from any enabled one."""

    names: tuple[str, ...]
    version: str
    """Upstream version such as 28.5.1 for the packages in `versioned`; empty for the newest."""
    versioned: tuple[str, ...]
    repository: str
    """Id of our repository, whose failure is fatal and whose packages must be signed by the key."""
    key_file: str
    fingerprint: str
    weak_dependencies: bool
    allow_removals: bool
    """Consent to remove what conflicts."""
    base_url: str = ""
    """Where our repository is, whatever the host's file of it says; empty for what that says."""
    module_hotfixes: bool = False
    """Whether modules must not hide our repository's packages."""
    upgrade: bool = False
    """Whether the packages must be the newest that our repository has, or of the version."""
    extras: tuple[str, ...] = ()
    """Further packages, from any repository."""
    urls: tuple[str, ...] = ()
    """Addresses of package files to install with the others, signed by the key like those."""
    lock_wait: int = 0
    """Seconds to wait while another process works with packages."""
    op: str = "install"


@dataclass(frozen=True)
class RemovePackages:
    """Remove those of the packages that are installed, and what cannot stay without them."""

    names: tuple[str, ...]
    allow_removals: bool
    """Consent to remove further packages that need them."""
    lock_wait: int = 0
    """Seconds to wait while another process works with packages."""
    op: str = "remove"


@dataclass(frozen=True)
class ListPackages:
    """Tell which versions of the packages our repository has. The fields are InstallPackages'."""

    names: tuple[str, ...]
    repository: str
    key_file: str
    fingerprint: str
    base_url: str
    module_hotfixes: bool = False
    op: str = "list"


Request = Union[InstallPackages, RemovePackages, ListPackages]


@dataclass(frozen=True)
class ProgressEvent:
    """`fraction` is that of the stage, 0 to 1."""

    stage: Stage
    fraction: Fraction
    message: Text = NOTHING
    numbers: Numbers = NO_NUMBERS
    event: str = "progress"


@dataclass(frozen=True)
class Change:
    """One package of a resolved transaction. Packages are NEVRAs, sizes are bytes."""

    action: str
    """install, upgrade, downgrade or remove."""
    package: str
    replaces: str = ""
    """The installed package that an upgrade or downgrade replaces."""
    repository: str = ""
    reason: Text = NOTHING
    """Why it is removed."""
    download: int = 0
    """What has to be fetched for it; nothing when the file is here already."""
    growth: int = 0
    """How much more, or with a negative number less, is on the disk afterwards."""


@dataclass(frozen=True)
class ResolvedEvent:
    """What will be done, once the job has said PROCEED."""

    changes: tuple[Change, ...]
    notes: tuple[Text, ...] = ()
    """What the user of a plan should know; the outcome has them again."""
    event: str = "resolved"


@dataclass(frozen=True)
class WritingEvent:
    """rpm will write (`writing`), once the job has said PROCEED, or has ended writing.

    In between the worker must not be killed.
    """

    writing: bool
    event: str = "writing"


@dataclass(frozen=True)
class Outcome:
    """The end. With an empty `error_name` it went well; otherwise it is a D-Bus error name."""

    changed: bool = False
    installed: tuple[str, ...] = ()
    """NEVRAs."""
    upgraded: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    download_bytes: int = 0
    notes: tuple[Text, ...] = ()
    """What the user should know."""
    offered: tuple[Mapping[str, Any], ...] = ()
    """What ListPackages found: name, evr, built (seconds since the epoch), and size in bytes."""
    error_name: str = ""
    error: Text = NOTHING
    another_source_may_help: bool = False
    """The error is one of our repository alone: what another source has may do."""
    missing: tuple[str, ...] = ()
    """Names of packages of the request without which, or without another version of which, it
    cannot be done."""
    event: str = "outcome"

    @property
    def error_message(self) -> str:
        """The English text of the error."""
        return str(self.error)


Event = Union[ProgressEvent, ResolvedEvent, WritingEvent, Outcome]

_REQUESTS: Mapping[str, Any] = {
    "install": InstallPackages,
    "remove": RemovePackages,
    "list": ListPackages,
}
_EVENTS: Mapping[str, Any] = {
    "progress": ProgressEvent,
    "resolved": ResolvedEvent,
    "writing": WritingEvent,
    "outcome": Outcome,
}


def encode(record: Request | Event) -> bytes:
    """The record as one line."""
    return json.dumps(encode_record(record)).encode() + b"\n"


def decode_request(line: bytes) -> Request:
    """:raises ValueError: when the line is not what `encode` wrote."""
    request: Request = _decode(line, "op", _REQUESTS)
    return request


def decode_event(line: bytes) -> Event:
    """:raises ValueError: when the line is not what `encode` wrote."""
    event: Event = _decode(line, "event", _EVENTS)
    return event


def _decode(line: bytes, key: str, kinds: Mapping[str, Any]) -> Any:
    data = json.loads(line)
    kind = data.get(key) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"{line!r:.60} is not a line of the protocol")
    return decode_record(kinds[kind], data)
