# SPDX-License-Identifier: LGPL-2.1-or-later
"""The directories of hosts on the outer machine, and the removal of those whose owner died."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from bed.cache import shared
from bed.cgroup import ControlGroup
from bed.limits import HANG_TIMEOUT
from bed.trees import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX = "bed-"
_LOCK = "lock"


@dataclass(frozen=True)
class Home:
    """A directory that this process owns; it is locked as long as the process lives."""

    path: Path
    _lock: IO[str]

    def remove(self) -> None:
        with _gate(self.path.parent, fcntl.LOCK_SH):
            remove_tree(self.path)
        self._lock.close()


def create() -> Home:
    """Make the directory of a new host. Those of dead processes are removed on the way."""
    prune()
    hosts = shared().scratch("hosts")
    with _gate(hosts, fcntl.LOCK_SH):
        path = hosts / f"{_PREFIX}{secrets.token_hex(4)}"  # a valid machine name, too
        path.mkdir()
        lock = (path / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return Home(path, lock)


def prune() -> list[str]:
    """Remove the directories whose owners are dead; return the names of the others."""
    hosts = shared().scratch("hosts")
    living = []
    with _gate(hosts, fcntl.LOCK_EX):
        for path in hosts.glob(f"{_PREFIX}*"):
            with (path / _LOCK).open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    living.append(path.name)
                    continue
                if _is_quiet(path.name):
                    remove_tree(path)
                else:
                    living.append(path.name)
    return living


def _is_quiet(name: str) -> bool:
    """End what is left of the processes of the host; return whether they are gone."""
    group = ControlGroup.named(name)
    group.kill()
    try:
        group.remove(HANG_TIMEOUT)
    except TimeoutError:
        return False
    return True


@contextmanager
def _gate(hosts: Path, mode: int) -> Iterator[None]:
    """Keep a directory that is being made or removed from being taken for a dead process's."""
    descriptor = os.open(hosts, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, mode)
        yield
    finally:
        os.close(descriptor)
