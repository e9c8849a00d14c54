# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dockerd processes of this host, whether docker.service, another unit or a user started them.

For processes of root: the daemon's sandbox hides the processes of others from it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.errors import ServiceFailed
from dockmgrd.host.dockerd import CommandLine
from dockmgrd.host.engine_problems import describe_missing_socket

_PROC = Path("/proc")
_PROGRAM = "dockerd"
_NAMESPACES = ("pid", "user")


@dataclass(frozen=True)
class RunningEngine:
    """A dockerd that runs on this host itself, not in one of its containers."""

    pid: int
    words: tuple[str, ...]
    """Its command line, the program first."""
    unit: str
    """The unit whose control group it is in, such as docker.service; "" when in none."""

    @property
    def program(self) -> str:
        return self.words[0]


def find_running_engines() -> list[RunningEngine]:
    """All engines of this host, rootless ones and those inside of containers left out."""
    ours = _read_namespaces(_PROC / "self")
    return [
        engine
        for folder in _list_processes()
        if (engine := _read_engine(folder)) is not None and _read_namespaces(folder) == ours
    ]


def find_unmanaged_engine(unit: str) -> RunningEngine | None:
    """An engine that does not run in the unit; None when there is none."""
    return next((each for each in find_running_engines() if each.unit != unit), None)


def check_local_socket(unit: str) -> None:
    """Check that the engine of the unit can be asked: a socket that systemd keeps never answers.

    :raises ServiceFailed: when it listens elsewhere only, as with `-H tcp://`.
    """
    for engine in find_running_engines():
        command_line = CommandLine(engine.words, (), (), {})
        if engine.unit == unit and not command_line.has_local_socket:
            raise ServiceFailed(describe_missing_socket(command_line.hosts))


def _list_processes() -> Iterator[Path]:
    for name in os.listdir(_PROC):
        if name.isdigit():
            yield _PROC / name


def _read_engine(folder: Path) -> RunningEngine | None:
    try:
        if (folder / "comm").read_text().strip() != _PROGRAM:
            return None
        raw = (folder / "cmdline").read_bytes()
        group = (folder / "cgroup").read_text()
    except OSError:  # it has just ended
        return None
    words = tuple(os.fsdecode(word) for word in raw.rstrip(b"\0").split(b"\0"))
    return RunningEngine(int(folder.name), words, _find_unit(group))


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
