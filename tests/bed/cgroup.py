# SPDX-License-Identifier: LGPL-2.1-or-later
"""A control group for each host, so that many can run at once and none leaves a process behind."""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "dockmgrd-"


@dataclass(frozen=True)
class ControlGroup:
    """A group of the unified hierarchy, below its root."""

    path: Path

    @classmethod
    def named(cls, name: str) -> ControlGroup:
        """Return the group for a host's name, whether or not it exists."""
        hybrid = _ROOT / "unified"
        hierarchy = hybrid if hybrid.is_dir() else _ROOT
        return cls(hierarchy / (_PREFIX + name))

    @property
    def procs(self) -> Path:
        """The file that moves a process into the group when its id is written there."""
        return self.path / "cgroup.procs"

    def create(self) -> None:
        self.path.mkdir(exist_ok=True)

    def child(self, name: str) -> ControlGroup:
        return ControlGroup(self.path / name)

    def kill(self) -> None:
        """Send SIGKILL to every process in the group and below it."""
        if self.path.is_dir():
            (self.path / "cgroup.kill").write_text("1")

    def remove(self, timeout: float) -> None:
        """Remove the group and all below it once no process is left in it.

        Raises TimeoutError when one is still there after `timeout` seconds.
        """
        if not self.path.is_dir():
            return
        self._wait_until_empty(timeout)
        for directory in self._descendants_first():
            os.rmdir(directory)

    def _descendants_first(self) -> Iterator[str]:
        for directory, _, _ in os.walk(self.path, topdown=False):
            yield directory

    def _wait_until_empty(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        with (self.path / "cgroup.events").open() as events:
            poll = select.poll()
            poll.register(events, select.POLLPRI)
            while "populated 1" in events.read():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{self.path} still has processes after {timeout} s")
                poll.poll(left * 1000)
                events.seek(0)
