# SPDX-License-Identifier: LGPL-2.1-or-later
"""The test's hand on the internet of a host: what goes wrong in it, and what was asked of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

from bed.system import hosts_text

if TYPE_CHECKING:
    from collections.abc import Mapping

FAULTS = "/run/bed/faults.json"
LOG = "/run/bed/requests.jsonl"

NOBODY_LISTENS = "127.0.0.2"
NO_ADDRESS = ""


@dataclass(frozen=True)
class Fault:
    """What happens to requests for paths that begin with `prefix` at a host name.

    `kind` is one of:
      reset      the connection is reset instead of an answer
      hang       no answer until the client gives up
      status     an answer with status `value`
      slow       the body comes with `value` bytes per second
      truncate   the connection ends after half of the body
      damage     the body has the right length and wrong bytes
      instead    the prefix is replaced by `value`: another file, an older state of a repository
    """

    host: str
    prefix: str
    kind: str
    value: int | str | None = None


@dataclass(frozen=True)
class Request:
    """A request as the server saw it. `status` is 0 when there was no answer."""

    host: str
    method: str
    path: str
    status: int
    sent: int
    seconds: float
    secure: bool
    time: float


class Disk(Protocol):
    """What this module needs of a host."""

    def read(self, path: str) -> str:
        """Return a file's text, `""` where there is none."""

    def write(self, path: str, text: str) -> None:
        """Replace a file atomically."""


class Internet:
    """The internet of one host. All faults are gone after a reboot, but those of names."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._faults: list[Fault] = []
        self._addresses: dict[str, str] = {}

    def fault(
        self, host: str, kind: str, *, prefix: str = "/", value: int | str | None = None
    ) -> None:
        """Let requests go wrong from now on; among several that match, the latest holds."""
        self._faults.insert(0, Fault(host, prefix, kind, value))
        self._write_faults()

    def refuse(self, host: str) -> None:
        """Let nobody listen at the host name: connections are refused."""
        self._move({host: NOBODY_LISTENS})

    def unresolvable(self, host: str) -> None:
        """Let the host name have no address."""
        self._move({host: NO_ADDRESS})

    def clear(self) -> None:
        """Let everything work again."""
        self._faults.clear()
        self._write_faults()
        self._addresses.clear()
        self._move({})

    def requests(self, host: str | None = None) -> list[Request]:
        """Return the requests so far, the oldest first."""
        entries = [Request(**json.loads(line)) for line in self._disk.read(LOG).splitlines()]
        return [entry for entry in entries if host in (None, entry.host)]

    def forget_requests(self) -> None:
        self._disk.write(LOG, "")

    def _write_faults(self) -> None:
        self._disk.write(FAULTS, json.dumps([asdict(fault) for fault in self._faults]))

    def _move(self, addresses: Mapping[str, str]) -> None:
        self._addresses.update(addresses)
        self._disk.write("/etc/hosts", hosts_text(self._addresses))
