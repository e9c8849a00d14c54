# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that run without an engine to ask: it was stopped with live-restore, or was killed.

Each container of Docker has a containerd-shim as its parent, which outlives dockerd and containerd.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.host.processes import HostProcess, find_children, find_processes

_PROGRAM = "containerd-shim"
"""The first 15 characters of its name, which are what the kernel knows."""
_NAMESPACES = ("moby", "plugins.moby")
_SHORT_ID = 12
_STOP_TIMEOUT = 10.0
"""Seconds that `docker stop` gives a container."""
_SECONDS_BETWEEN_LOOKS = 0.02
_NO_SIGNAL = 0


@dataclass(frozen=True)
class ContainerProcess:
    """The shim of a container or of a plugin of Docker's."""

    pid: int
    id: str

    @property
    def name(self) -> str:
        """What `docker ps` shows as its id."""
        return self.id[:_SHORT_ID]


def find_container_processes() -> list[ContainerProcess]:
    """All shims of Docker's that run on this host itself."""
    return [
        ContainerProcess(shim.pid, _find_id(shim))
        for shim in find_processes(_PROGRAM)
        if _get_value(shim, "-namespace") in _NAMESPACES
    ]


async def end_container_processes(shims: Iterable[ContainerProcess]) -> None:
    """Stop what runs in the containers as `docker stop` does, and end their shims."""
    await asyncio.gather(*map(_end, shims))


async def _end(shim: ContainerProcess) -> None:
    children = find_children(shim.pid)
    await asyncio.gather(*(_stop(child) for child in children))
    await _stop(shim.pid, signals=(signal.SIGKILL,))


async def _stop(
    pid: int, signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)
) -> None:
    for number in signals:
        is_alive = _send_signal(pid, number)
        deadline = time.monotonic() + _STOP_TIMEOUT
        # EL 8's kernel has no pidfd_open, whose descriptor would tell the end.
        while is_alive and time.monotonic() < deadline:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            is_alive = _send_signal(pid, _NO_SIGNAL)


def _send_signal(pid: int, number: int) -> bool:
    """Send the signal; False when the process has ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _find_id(shim: HostProcess) -> str:
    """The id of the container; shims of before containerd 1.2 name its folder instead."""
    return _get_value(shim, "-id") or Path(_get_value(shim, "-workdir")).name


def _get_value(shim: HostProcess, flag: str) -> str:
    following = zip(shim.words, shim.words[1:])
    return next((value for word, value in following if word == flag), "")
