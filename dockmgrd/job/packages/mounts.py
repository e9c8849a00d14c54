# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is mounted below a folder: containers' leftovers, and what somebody else put there."""

from __future__ import annotations

import ctypes
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

from dockmgrd.errors import WriteFailed
from dockmgrd.host.held_folders import OPEN_FOLDER
from dockmgrd.messages import packages as messages

_MOUNTINFO = Path("/proc/self/mountinfo")
_MNT_DETACH = 2
_UMOUNT_NOFOLLOW = 8
# Where dockerd and containerd mount for a container (relative to data-root or run folder).
_OF_CONTAINERS = (
    "overlay2/*/merged",
    "fuse-overlayfs/*/merged",
    "devicemapper/mnt/*",
    "zfs/graph/*",
    "rootfs/*/*",
    "containers/*/mounts/shm",
    "buildkit/executor/*/rootfs",
    "netns/*",
    "io.containerd.runtime.v2.task/*/*/rootfs",
    "plugins/*/rootfs",
    "plugins/*/propagated-mount",
)
# Older engines mount the folder of the storage driver on itself to keep its mounts private.
_DRIVER_FOLDERS = ("overlay2", "devicemapper", "zfs", "aufs", "btrfs")


def find_foreign_mounts(folder: Path) -> list[Path]:
    """Mount points below the folder, itself not among them, that no container has left."""
    return [path for path in _mounts_below(folder) if not _is_container_mount(path, folder)]


def unmount_leftovers(folder: Path) -> None:
    """Unmount what containers have left mounted below the folder.

    :raises WriteFailed: when the kernel refuses that.
    """
    leftovers = [path for path in _mounts_below(folder) if _is_container_mount(path, folder)]
    for path in reversed(leftovers):  # The last one mounted may hide others.
        _unmount(path)


def _mounts_below(folder: Path) -> list[Path]:
    """Mount points below the folder, in the order in which they were mounted."""
    points = []
    for line in _MOUNTINFO.read_bytes().splitlines():
        # Field 5 is the mount point, with octal escapes for space, tab, newline and backslash.
        raw = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), line.split(b" ")[4])
        point = Path(os.fsdecode(raw))
        if folder in point.parents:
            points.append(point)
    return points


def _is_container_mount(point: Path, folder: Path) -> bool:
    below = PurePath(*point.parts[len(folder.parts) :])
    if str(below) in _DRIVER_FOLDERS:
        return _is_on_same_file_system(point, folder)
    return any(
        len(below.parts) == pattern.count("/") + 1 and below.match(pattern)
        for pattern in _OF_CONTAINERS
    )


def _is_on_same_file_system(point: Path, folder: Path) -> bool:
    return os.stat(point).st_dev == os.stat(folder).st_dev


def _unmount(point: Path) -> None:
    try:
        with _open_parent(point) as parent:
            _call_umount(f"/proc/self/fd/{parent}/{point.name}")
    except OSError as error:
        text = messages.UNMOUNT_FAILED(path=str(point), reason=str(error.strerror))
        command = f"umount {shlex.quote(str(point))}"
        raise WriteFailed(text.with_remedy(messages.UNMOUNT_AND_REPEAT(), command)) from error


def _call_umount(path: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(path), _MNT_DETACH | _UMOUNT_NOFOLLOW) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def _open_parent(point: Path) -> Iterator[int]:
    """Descriptor of the folder that the mount point is in, reached without following a link."""
    descriptor = os.open(os.sep, OPEN_FOLDER)
    try:
        for name in point.parts[1:-1]:
            child = os.open(name, OPEN_FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = child
        yield descriptor
    finally:
        os.close(descriptor)
