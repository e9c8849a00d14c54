# SPDX-License-Identifier: LGPL-2.1-or-later
"""Paths held open: nothing that is renamed or linked meanwhile leads elsewhere.

Every folder on the way is opened relative to the descriptor of its parent, from the root of the
file system on, and never through a symbolic link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.errors import UnsafePath
from dockmgrd.host.held_folders import NOT_A_FOLDER_ERRORS, OPEN_FOLDER, can_others_replace
from dockmgrd.messages import packages as messages
from dockmgrd.messages.text import Text


@dataclass(frozen=True)
class Root:
    """A path that is held open."""

    path: Path
    parent: int
    """Descriptor of the folder that it is in."""
    folder: int | None
    """Descriptor of itself; None when it is not a folder."""

    @property
    def is_mount_point(self) -> bool:
        return self.folder is not None and read_mount_id(self.folder) != read_mount_id(self.parent)

    def list_names(self) -> list[str]:
        """Names of what is in the folder, sorted; none when it is not a folder."""
        return sorted(os.listdir(self.folder)) if self.folder is not None else []

    def require_no_link(self, *names: str) -> None:
        """Check that the entry below the folder is not a symbolic link.

        :param names: the way to it, of which all but the last have been checked before.
        :raises UnsafePath: when it is one.
        """
        relative = os.path.join(*names)
        try:
            target = os.readlink(relative, dir_fd=self.folder)
        except OSError as error:  # EINVAL for everything else than a link
            if error.errno not in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
                raise
            return
        link = messages.CAUSE_LINK(link=str(self.path / relative), target=target)
        raise make_unsafe_error(self.path, link)


@contextmanager
def open_root(path: Path) -> Iterator[Root | None]:
    """Hold the path open; None when it does not exist.

    :param path: absolute, and below another folder than `/`.
    :raises UnsafePath: when a symbolic link is on the way, or when users other than root can put
        something else in the place of a folder on the way.
    """
    with ExitStack() as held:
        folder = _open_folder(held, os.sep, None)
        for count in range(2, len(path.parts) + 1):
            here = Path(*path.parts[:count])
            try:
                status = os.stat(here.name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                yield None
                return
            if stat.S_ISLNK(status.st_mode):
                target = _read_link(here.name, folder)
                raise make_unsafe_error(path, messages.CAUSE_LINK(link=str(here), target=target))
            _require_trusted(path, here.parent, os.fstat(folder), status)
            if here == path and not stat.S_ISDIR(status.st_mode):
                yield Root(path, folder, None)
                return
            try:
                parent, folder = folder, _open_folder(held, here.name, folder)
            except OSError as error:
                if error.errno not in NOT_A_FOLDER_ERRORS:
                    raise
                raise make_unsafe_error(here, messages.CAUSE_NOT_A_FOLDER()) from error
        yield Root(path, parent, folder)


def _read_link(name: str, folder: int) -> str:
    """Where the link leads; "?" when something else has taken its place meanwhile."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return "?"


def make_unsafe_error(path: Path, cause: Text) -> UnsafePath:
    """The error of a path that may not be deleted."""
    text = messages.UNSAFE_PATH(path=str(path), cause=cause)
    return UnsafePath(text.with_remedy(messages.DELETE_BY_HAND()))


def read_mount_id(descriptor: int) -> int:
    """Which mount the descriptor is on. The device alone does not tell bind mounts apart."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key == "mnt_id":
                return int(value)
    raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))


def _require_trusted(
    path: Path, folder: Path, status: os.stat_result, child: os.stat_result
) -> None:
    """Check that root alone can replace the child of the folder.

    :raises UnsafePath: when others can.
    """
    if can_others_replace(status, child):
        raise make_unsafe_error(path, messages.CAUSE_OPEN_TO_OTHERS(folder=str(folder)))


def _open_folder(held: ExitStack, name: str, parent: int | None) -> int:
    descriptor = os.open(name, OPEN_FOLDER, dir_fd=parent)
    held.callback(os.close, descriptor)
    return descriptor
