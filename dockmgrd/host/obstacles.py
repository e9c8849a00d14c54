# SPDX-License-Identifier: LGPL-2.1-or-later
"""Why a file cannot be changed: attributes, mounts, and things that are no regular files."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.messages import files as messages
from dockmgrd.messages.text import Text

_FS_IOC_GETFLAGS = 0x80086601  # linux/fs.h, on 64-bit machines
_FS_IMMUTABLE_FL = 0x10
_FS_APPEND_FL = 0x20
_MOUNTINFO = Path("/proc/self/mountinfo")

_KINDS = (
    (stat.S_ISDIR, messages.KIND_DIRECTORY),
    (stat.S_ISCHR, messages.KIND_DEVICE),
    (stat.S_ISBLK, messages.KIND_DEVICE),
    (stat.S_ISFIFO, messages.KIND_FIFO),
    (stat.S_ISSOCK, messages.KIND_SOCKET),
)


@dataclass(frozen=True)
class Mount:
    """A mount as /proc/self/mountinfo describes it (proc(5))."""

    point: Path
    read_only: bool


def describe_kind(mode: int) -> Text | None:
    """What a file of this mode is; None for a regular file."""
    if stat.S_ISREG(mode):
        return None
    for has_kind, kind in _KINDS:
        if has_kind(mode):
            return kind()
    return messages.KIND_UNKNOWN()


def find_obstacle(path: Path, target: Path) -> Text | None:
    """What keeps even root from changing the target; None when nothing does.

    :param path: what the file is called in the sentence.
    """
    folder = _find_existing_folder(target)
    if not os.path.isdir(folder):
        kind = describe_kind(os.lstat(folder).st_mode) or messages.KIND_FILE()
        text = messages.PARENT_NOT_A_FOLDER(folder=str(folder), kind=kind)
        return text.with_remedy(messages.CORRECT_PATH(), f"ls -l {folder}")
    for each in (target, folder):
        if _is_immutable(each):
            text = messages.IMMUTABLE(file=str(path), path=str(each))
            return text.with_remedy(messages.CLEAR_ATTRIBUTE(), f"chattr -i -a {each}")
    mount = find_mount(target)
    if mount is not None and mount.read_only:
        text = messages.ON_READ_ONLY_MOUNT(file=str(path), mount=str(mount.point))
        remedy = messages.REMOUNT_WRITABLE()
        return text.with_remedy(remedy, f"mount -o remount,rw {mount.point}")
    if mount is not None and mount.point == target:
        text = messages.IS_MOUNT_POINT(file=str(path), path=str(target))
        return text.with_remedy(messages.UNMOUNT_FILE(), f"findmnt {target}")
    return None


def get_reason(path: Path, error: OSError) -> Text:
    """The sentence for an error of the system that has no better explanation."""
    reason = error.strerror or str(error)
    return messages.WRITE_FAILED(file=str(path), reason=reason).with_remedy(
        messages.MAKE_WRITABLE(), f"ls -ld {path}"
    )


def find_mount(path: Path) -> Mount | None:
    """The mount that the path is on; None when /proc does not say."""
    above = [each for each in _read_mounts() if each.point in (path, *path.parents)]
    above.reverse()  # of several at the same place, the last one is on top
    return max(above, key=lambda mount: len(mount.point.parts), default=None)


def _read_mounts() -> Iterator[Mount]:
    try:
        lines = _MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        fields, _, described = line.partition(" - ")
        words = fields.split(" ")
        point = words[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
        options = {*words[5].split(","), *described.split(" ")[-1].split(",")}
        yield Mount(Path(point), "ro" in options)


def _find_existing_folder(target: Path) -> Path:
    """The nearest thing above the target that exists."""
    for parent in target.parents:
        if os.path.lexists(parent):
            return parent
    return Path("/")


def _is_immutable(path: Path) -> bool:
    """Whether the file or folder has the attribute `i` or `a` of chattr(1)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        data = fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, struct.pack("l", 0))
        (flags,) = struct.unpack("l", data)
        return bool(flags & (_FS_IMMUTABLE_FL | _FS_APPEND_FL))
    except OSError:
        return False  # this file system has no such attributes
    finally:
        os.close(descriptor)
