# SPDX-License-Identifier: LGPL-2.1-or-later
"""Removing directory trees that root made, without ever walking into another file system.

A program that was killed while it built a tree may have left /proc, /sys or a directory of this
machine mounted below it. A plain recursive removal would delete what is mounted there.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bed.shell import CommandError, checked

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOUNTS = Path("/proc/self/mountinfo")
_MOUNT_POINT_FIELD = 4
_log = logging.getLogger(__name__)


class TreeRemovalError(Exception):
    """A tree is still there, in whole or in part. The message says why and what to do."""


def remove_tree(path: Path) -> None:
    """Unmount all that is mounted at `path` or below it, say what it was, then remove the tree.

    Does nothing when `path` does not exist, and never follows it when it is a link. Raises
    TreeRemovalError; what is mounted keeps its content whatever happens.
    """
    if not os.path.lexists(path):
        return
    real = path.parent.resolve() / path.name
    if not real.parent.samefile(path.parent):  # behind /proc/PID/root: the names of another root
        raise TreeRemovalError(f"{path} is not in the file system of this process")
    unmount_below(real)
    # The second line of defense: rm itself stops at the border of a file system.
    try:
        checked(["rm", "--recursive", "--force", "--one-file-system", "--", real])
    except CommandError as error:
        raise TreeRemovalError(f"{path} could not be removed: {error}") from error


def unmount_below(path: Path) -> None:
    """Unmount all that is mounted at `path`, which has no links, or below it, and log each.

    Raises TreeRemovalError when something stays mounted.
    """
    mounts = find_mounts(path)
    while mounts:
        _unmount(mounts[-1])
        left = find_mounts(path)
        if len(left) >= len(mounts):
            raise TreeRemovalError(
                f"{path} is not removed, because {left[-1]} is still mounted."
                f" Unmount it by hand: umount --lazy {left[-1]}"
            )
        mounts = left


def find_mounts(path: Path) -> list[Path]:
    """Return the mount points at `path` or below it, each after those that it lies on."""
    return [mount for mount in _read_mount_points() if mount == path or path in mount.parents]


def _unmount(mount_point: Path) -> None:
    command = ["umount", "--no-canonicalize"]
    try:
        checked([*command, "--", mount_point])
    except CommandError:
        # A process has a file open there. The mount leaves the tree now, and ends with the file.
        try:
            checked([*command, "--lazy", "--", mount_point])
        except CommandError as error:
            raise TreeRemovalError(f"{mount_point} could not be unmounted: {error}") from error
    _log.info("unmounted %s, which an interrupted build left behind", mount_point)


def _read_mount_points() -> Iterator[Path]:
    for line in _MOUNTS.read_text().splitlines():
        yield Path(_unescape(line.split(" ")[_MOUNT_POINT_FIELD]))


def _unescape(field: str) -> str:
    """Return a field of mountinfo as it was: the kernel writes a blank in it as `\\040`."""
    octal = re.compile(rb"\\([0-7]{3})")
    raw = octal.sub(lambda match: bytes([int(match[1], 8)]), os.fsencode(field))
    return os.fsdecode(raw)
