# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders held open by descriptors, from the root of the file system on, through no link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dockmgrd.errors import UnsafePath
from dockmgrd.host.selinux import restore_labels
from dockmgrd.messages import registries as messages

OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NOT_A_FOLDER_ERRORS = (errno.ELOOP, errno.ENOTDIR)
"""What opening a link or a file with `OPEN_FOLDER` fails with."""
_FOLDER_MODE = 0o755


@contextmanager
def hold_folder(path: Path, *, create: bool = False) -> Iterator[int | None]:
    """The descriptor of the folder; None when it does not exist.

    :param path: absolute, without `..`.
    :param create: whether folders that do not exist are created.
    :raises UnsafePath: when a link or a file is on the way, or when users other than root can put
        something else in the place of a folder on the way.
    :raises OSError: when a folder cannot be opened or created.
    """
    with ExitStack() as held:
        folder = _open(held, os.sep, None)
        for count in range(2, len(path.parts) + 1):
            here = Path(*path.parts[:count])
            is_new = create and _make_folder(here.name, folder)
            child = _read_status(here.name, folder)
            if child is None:
                yield None
                return
            require_safe(path, here.parent, os.fstat(folder), child)
            if is_new:
                restore_labels(here)
            try:
                folder = _open(held, here.name, folder)
            except OSError as error:
                if error.errno in NOT_A_FOLDER_ERRORS:
                    raise make_unsafe_error(path, here, folder) from error
                raise
        require_safe(path, path, os.fstat(folder), os.fstat(folder))
        yield folder


def can_others_replace(folder: os.stat_result, child: os.stat_result) -> bool:
    """Whether users other than root can put something else in the place of the folder's child."""
    open_to_others = bool(folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    # With the sticky bit only the owner of a file can rename or delete it.
    kept_by_sticky_bit = bool(folder.st_mode & stat.S_ISVTX) and child.st_uid == 0
    return folder.st_uid != 0 or (open_to_others and not kept_by_sticky_bit)


def make_unsafe_error(file: Path, link: Path, folder: int) -> UnsafePath:
    """The error for a link, or something else that is not what is expected, at the path `link`.

    :param folder: descriptor of the folder that it is in.
    """
    try:
        target = os.readlink(link.name, dir_fd=folder)
    except OSError:
        text = messages.FOLDER_NOT_A_FOLDER(file=str(file), path=str(link))
        return UnsafePath(text.with_remedy(messages.REPLACE_LINK(), f"ls -ld {link}"))
    text = messages.FOLDER_IS_LINK(file=str(file), link=str(link), target=target)
    return UnsafePath(text.with_remedy(messages.REPLACE_LINK(), f"ls -ld {link}"))


def require_safe(file: Path, folder: Path, status: os.stat_result, child: os.stat_result) -> None:
    """Check that nobody but root can replace the child of the folder.

    :param file: what the change is about, for the message.
    :raises UnsafePath: when others can.
    """
    if can_others_replace(status, child):
        text = messages.FOLDER_OPEN_TO_OTHERS(file=str(file), folder=str(folder))
        raise UnsafePath(text.with_remedy(messages.LET_ROOT_ALONE_WRITE(), f"ls -ld {folder}"))


def _make_folder(name: str, folder: int) -> bool:
    """Make the folder, and return whether it was missing."""
    try:
        os.mkdir(name, _FOLDER_MODE, dir_fd=folder)
    except FileExistsError:
        return False
    os.fsync(folder)
    return True


def _read_status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _open(held: ExitStack, name: str, parent: int | None) -> int:
    descriptor = os.open(name, OPEN_FOLDER, dir_fd=parent)
    held.callback(os.close, descriptor)
    return descriptor
