# SPDX-License-Identifier: LGPL-2.1-or-later
"""Deletes one tree, relative to descriptors: it follows no link and crosses no mount."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dockmgrd.errors import WriteFailed
from dockmgrd.host.held_folders import NOT_A_FOLDER_ERRORS, OPEN_FOLDER
from dockmgrd.host.obstacles import find_obstacle
from dockmgrd.job.packages.tree import read_mount_id
from dockmgrd.messages import packages as messages
from dockmgrd.messages.text import Text

_MAX_OPEN_FOLDERS = (
    200  # A process may have 1,024 descriptors; a container makes trees of any depth.
)
_MAX_SCANS = 5  # How often a folder is read when something is put into it meanwhile.
_BLOCK_BYTES = 512  # The unit of st_blocks, whatever the file system.


def delete_tree(parent: int, folder: Path, name: str) -> int:
    """Delete what has the name, with all that is in it; what does not exist is no error.

    :param parent: descriptor of the folder that it is in.
    :param folder: path of that folder, for messages alone.
    :returns: the bytes freed.
    :raises WriteFailed: naming the path in full, when something cannot be deleted; the rest is
        still there.
    """
    deletion = _Deletion(parent, folder)
    try:
        deletion.run(name)
    finally:
        deletion.close()
    return deletion.freed


@dataclass
class _Level:
    """A folder on the way down, of which not everything is deleted yet."""

    name: str
    identity: tuple[int, int]
    descriptor: int | None
    """None when it was closed, because so many are open."""
    pending: list[str] = field(default_factory=list)
    """Names of folders in it that are still to be deleted."""
    scans: int = 0


class _Deletion:
    """One deletion; its levels are the way from the folder at the top to the one at hand."""

    def __init__(self, parent: int, folder: Path) -> None:
        self._parent = parent
        self._folder = folder
        self._mount = read_mount_id(parent)
        self._levels: list[_Level] = []
        self.freed = 0

    def run(self, name: str) -> None:
        """Delete what has the name in the parent."""
        self._descend(name)
        while self._levels:
            level = self._levels[-1]
            if level.pending:
                self._descend(level.pending.pop())
            elif not level.scans:
                self._scan(level)
            else:
                self._remove_last()

    def close(self) -> None:
        """Close what an error has left open."""
        for level in self._levels:
            _close(level)

    def _descend(self, name: str) -> None:
        """Enter the folder; what turns out to be something else is deleted."""
        parent = self._open(self._levels[-1]) if self._levels else self._parent
        with self._explain_errors(name):
            try:
                descriptor = os.open(name, OPEN_FOLDER, dir_fd=parent)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno not in NOT_A_FOLDER_ERRORS:
                    raise
                self._unlink(name, parent)
                return
            if len(self._levels) >= _MAX_OPEN_FOLDERS:
                _close(self._levels[-1])
            status = os.fstat(descriptor)
        self._levels.append(_Level(name, (status.st_dev, status.st_ino), descriptor))
        if read_mount_id(descriptor) != self._mount:
            raise self._make_error(messages.REASON_MOUNT_POINT())

    def _scan(self, level: _Level) -> None:
        """Delete the files of the folder, and remember the folders in it."""
        level.scans += 1
        descriptor = self._open(level)
        with self._explain_errors(), os.scandir(descriptor) as entries:
            names = [(each.name, each.is_dir(follow_symlinks=False)) for each in entries]
        for name, is_folder in names:
            if is_folder:
                level.pending.append(name)
            else:
                with self._explain_errors(name):
                    self._unlink(name, descriptor)

    def _remove_last(self) -> None:
        """Remove the folder at hand, which is empty now, or else read it once more."""
        level = self._levels[-1]
        above = self._levels[-2] if len(self._levels) > 1 else None
        with self._explain_errors():
            status = os.fstat(self._open(level))
            parent = self._parent if above is None else self._open(above)
            try:
                os.rmdir(level.name, dir_fd=parent)
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno != errno.ENOTEMPTY or level.scans >= _MAX_SCANS:
                    raise
                level.scans = max(level.scans, 1)
                self._scan(level)
                return
        self.freed += _count_freed_bytes(status)
        self._levels.pop()
        _close(level)

    def _open(self, level: _Level) -> int:
        """Descriptor of the last level, or of the one above it: opened again if it was closed."""
        if level.descriptor is None:
            below = self._levels[-1].descriptor
            assert below is not None
            with self._explain_errors():
                level.descriptor = os.open(os.pardir, OPEN_FOLDER, dir_fd=below)
                status = os.fstat(level.descriptor)
            if (status.st_dev, status.st_ino) != level.identity:
                raise self._make_error(messages.REASON_MOVED())
        return level.descriptor

    def _unlink(self, name: str, parent: int) -> None:
        try:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            return
        self.freed += _count_freed_bytes(status)

    @contextmanager
    def _explain_errors(self, *names: str) -> Iterator[None]:
        """Turn what the system says into an error with the path at hand."""
        try:
            yield
        except OSError as error:
            path = self._path(*names)
            obstacle = None
            if error.errno in (errno.EPERM, errno.EROFS, errno.EBUSY):
                obstacle = find_obstacle(path, path)
            if obstacle is not None:
                raise WriteFailed(obstacle) from error
            raise self._make_error(str(error.strerror), *names) from error

    def _make_error(self, reason: Text | str, *names: str) -> WriteFailed:
        text = messages.DELETE_FAILED(path=str(self._path(*names)), reason=reason)
        return WriteFailed(text.with_remedy(messages.FREE_AND_REPEAT()))

    def _path(self, *names: str) -> Path:
        return Path(self._folder, *(level.name for level in self._levels), *names)


def _close(level: _Level) -> None:
    if level.descriptor is not None:
        os.close(level.descriptor)
        level.descriptor = None


def _count_freed_bytes(status: os.stat_result) -> int:
    """Bytes on the disk that go with the last name of a file."""
    is_last = stat.S_ISDIR(status.st_mode) or status.st_nlink == 1
    return status.st_blocks * _BLOCK_BYTES if is_last else 0
