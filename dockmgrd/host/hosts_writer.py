# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes and deletes hosts.toml files relative to descriptors of their folders.

A process that is killed leaves the old file or the new one, and at most names that begin with a
dot, which the engine does not read and the next change of the same registry removes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.errors import ConfigConflict, WriteFailed
from dockmgrd.host import atomicfile, regular_files
from dockmgrd.host.held_folders import (
    NOT_A_FOLDER_ERRORS,
    OPEN_FOLDER,
    hold_folder,
    make_unsafe_error,
    require_safe,
)
from dockmgrd.host.obstacles import find_obstacle
from dockmgrd.host.registry_folders import HOSTS_TOML
from dockmgrd.messages import registries as messages

_FILE_MODE = 0o644
_FOLDER_MODE = 0o755
_NEW_FILE = f".{HOSTS_TOML}.dockmgrd-new"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY


@dataclass(frozen=True)
class HostsWriter:
    """Changes the hosts.toml in one folder below certs.d.

    Every method raises UnsafePath when a link is on the way or others than root can write there,
    ConfigConflict when the file is not as `before` any more, and InsufficientSpace or WriteFailed
    when it cannot be written. The file is as it was then.
    """

    folder: Path
    before: bytes | None
    """The content that the change was planned for; None for no file."""

    @property
    def _path(self) -> Path:
        return self.folder / HOSTS_TOML

    def check(self) -> None:
        """Check what can be checked beforehand, without changing anything."""
        with ExitStack() as held:
            held.enter_context(atomicfile.explain_errors(self._path, self._path))
            folder = held.enter_context(hold_folder(self.folder))
            if folder is not None:
                held.enter_context(self._require_before(folder))
        obstacle = find_obstacle(self._path, self._path)
        if obstacle is not None:
            raise WriteFailed(obstacle)

    def write(self, content: bytes) -> None:
        """Replace the file, or create it, and its folder in the same step."""
        with self._hold_parent(create=True) as parent, self._open_folder(parent) as folder:
            if folder is None:
                self._create_folder(parent, content)
                return
            with self._require_before(folder) as model:
                self._write_new(folder, content, model)
                os.replace(_NEW_FILE, HOSTS_TOML, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)

    def delete(self, *, with_folder: bool) -> None:
        """Delete the file, and the folder if that is wanted and nothing else is in it."""
        with self._hold_parent(create=False) as parent, self._open_folder(parent) as folder:
            if folder is None:
                raise self._make_conflict()
            with self._require_before(folder):
                if not with_folder:
                    os.unlink(HOSTS_TOML, dir_fd=folder)
                    os.fsync(folder)
                    return
                os.rename(HOSTS_TOML, self._former, src_dir_fd=folder, dst_dir_fd=parent)
            self._finish_deletion(parent)

    @property
    def _former(self) -> str:
        """The name beside the folder to which its file goes while the folder is deleted."""
        return f".{self.folder.name}.dockmgrd-old"

    @contextmanager
    def _hold_parent(self, *, create: bool) -> Iterator[int]:
        with ExitStack() as held:
            held.enter_context(atomicfile.explain_errors(self._path, self._path))
            parent = held.enter_context(hold_folder(self.folder.parent, create=create))
            if parent is None:
                raise self._make_conflict()
            self._finish_deletion(parent)
            yield parent

    def _finish_deletion(self, parent: int) -> None:
        """Do the rest of a deletion, also of one that was interrupted."""
        try:
            os.stat(self._former, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        with suppress(OSError):  # It has files of others, or is there no more.
            os.rmdir(self.folder.name, dir_fd=parent)
        os.unlink(self._former, dir_fd=parent)
        os.fsync(parent)

    @contextmanager
    def _open_folder(self, parent: int) -> Iterator[int | None]:
        """The folder, or None where it does not exist."""
        try:
            folder = os.open(self.folder.name, OPEN_FOLDER, dir_fd=parent)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            if error.errno in NOT_A_FOLDER_ERRORS:
                raise make_unsafe_error(self._path, self.folder, parent) from error
            raise
        try:
            status = os.fstat(folder)
            require_safe(self._path, self.folder, status, status)
            yield folder
        finally:
            os.close(folder)

    def _create_folder(self, parent: int, content: bytes) -> None:
        """Make the folder with the file in it under another name, and rename it."""
        if self.before is not None:
            raise self._make_conflict()
        name = f".{self.folder.name}.dockmgrd-new"
        self._remove_stale_folder(parent, name)
        os.mkdir(name, _FOLDER_MODE, dir_fd=parent)
        new = os.open(name, OPEN_FOLDER, dir_fd=parent)
        try:
            self._write_new(new, content, None)
            os.rename(_NEW_FILE, HOSTS_TOML, src_dir_fd=new, dst_dir_fd=new)
            os.fsync(new)
        finally:
            os.close(new)
        os.rename(name, self.folder.name, src_dir_fd=parent, dst_dir_fd=parent)
        os.fsync(parent)

    def _remove_stale_folder(self, parent: int, name: str) -> None:
        """Remove what an interrupted creation has left."""
        try:
            stale = os.open(name, OPEN_FOLDER, dir_fd=parent)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno in NOT_A_FOLDER_ERRORS:
                raise make_unsafe_error(self._path, self.folder.parent / name, parent) from error
            raise
        try:
            for each in (_NEW_FILE, HOSTS_TOML):
                with suppress(FileNotFoundError):
                    os.unlink(each, dir_fd=stale)
        finally:
            os.close(stale)
        os.rmdir(name, dir_fd=parent)

    @contextmanager
    def _require_before(self, folder: int) -> Iterator[int | None]:
        """The descriptor of the present file, which is as it was; None where there was none."""
        try:
            descriptor = os.open(HOSTS_TOML, _READ, dir_fd=folder)
        except FileNotFoundError:
            if self.before is not None:
                raise self._make_conflict() from None
            yield None
            return
        except OSError as error:
            if error.errno in NOT_A_FOLDER_ERRORS:
                raise make_unsafe_error(self._path, self._path, folder) from error
            raise
        try:
            with open(descriptor, "rb", closefd=False) as file:
                if file.read(regular_files.MAX_FILE_BYTES) != self.before:
                    raise self._make_conflict()
            yield descriptor
        finally:
            os.close(descriptor)

    def _write_new(self, folder: int, content: bytes, model: int | None) -> None:
        """Write the content to the new name, with owner, mode and label of the present file."""
        with suppress(FileNotFoundError):
            os.unlink(_NEW_FILE, dir_fd=folder)
        descriptor = os.open(_NEW_FILE, _CREATE, 0o600, dir_fd=folder)
        try:
            with open(descriptor, "wb") as file:
                if model is None:
                    os.fchmod(descriptor, _FILE_MODE)
                else:
                    atomicfile.copy_metadata(descriptor, model, _FILE_MODE)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                os.unlink(_NEW_FILE, dir_fd=folder)
            raise

    def _make_conflict(self) -> ConfigConflict:
        text = messages.HOSTS_FILE_CHANGED(file=str(self._path))
        return ConfigConflict(text.with_remedy(messages.REPEAT_CHANGE()))
