# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes of this host by the name of their program, whatever started them.

For processes of root: the daemon's sandbox hides the processes of others from it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_NAMESPACES = ("pid", "user")


@dataclass(frozen=True)
class HostProcess:
    """A process that runs on this host itself, not in one of its containers."""

    pid: int
    words: tuple[str, ...]
    """Its command line, the program first."""
    unit: str
    """The unit whose control group it is in, such as docker.service; "" when in none."""

    @property
    def program(self) -> str:
        return self.words[0]


def find_processes(name: str) -> list[HostProcess]:
    """All processes of that program, those in namespaces of their own left out."""
    ours = _read_namespaces(_PROC / "self")
    return [
        process
        for folder in _list_processes()
        if (process := _read_process(folder, name)) is not None and _read_namespaces(folder) == ours
    ]


def find_children(pid: int) -> list[int]:
    """The processes that the process has started, and those that it has been given."""
    return [int(folder.name) for folder in _list_processes() if _read_parent(folder) == pid]


def _read_parent(folder: Path) -> int:
    """The parent's id; 0 for a process that has ended."""
    try:
        status = (folder / "stat").read_text()
    except OSError:
        return 0
    # The name of the program, in parentheses, may contain anything: proc(5).
    return int(status.rpartition(")")[2].split()[1])


def _list_processes() -> Iterator[Path]:
    for name in os.listdir(_PROC):
        if name.isdigit():
            yield _PROC / name


def _read_process(folder: Path, name: str) -> HostProcess | None:
    try:
        if (folder / "comm").read_text().strip() != name:
            return None
        raw = (folder / "cmdline").read_bytes()
        group = (folder / "cgroup").read_text()
    except OSError:  # it has just ended
        return None
    words = tuple(os.fsdecode(word) for word in raw.rstrip(b"\0").split(b"\0"))
    return HostProcess(int(folder.name), words, _find_unit(group))


def _find_unit(group: str) -> str:
    """The service in the lines of /proc/PID/cgroup."""
    for line in group.splitlines():
        for part in reversed(line.rpartition(":")[2].split("/")):
            if part.endswith(".service"):
                return part
    return ""


def _read_namespaces(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(os.readlink(folder / "ns" / name) for name in _NAMESPACES)
    except OSError:
        return ()
