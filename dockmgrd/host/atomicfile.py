# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that are either the old or the new one, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from dockmgrd.errors import InsufficientSpace, WriteFailed

_SELINUX = "security.selinux"
_TEMPORARY_SUFFIX = ".dockmgrd-new"
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)


def replace(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = True) -> None:
    """Give the file this content at once; parent folders are made. One process at a time may.

    An existing file keeps its owner, mode and SELinux label, and a symbolic link stays one: its
    target is replaced. A new file gets the mode. What a writer that was killed has left behind is
    taken away by the next one.

    :param durable: whether a loss of power right after this must find the new content.
    :raises InsufficientSpace, WriteFailed: when it cannot be written; the file is as it was.
    """
    target = Path(os.path.realpath(path))
    with _explained(path):
        _make_folder(target.parent)
        with _temporary(target) as temporary:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(temporary, flags, 0o600), "wb") as file:
                _dress(file.fileno(), target, mode)
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(temporary, target)
        if durable:
            _sync_folder(target.parent)


def back_up(path: Path, backup: Path) -> None:
    """Keep the content that the file has now at `backup`, in place of an older one.

    It is a second link to the file where that is possible, so that nothing has to be written: the
    next `replace` of the file leaves it alone. It is as durable as that.

    :raises InsufficientSpace, WriteFailed: when it cannot be kept.
    """
    target = Path(os.path.realpath(path))
    with _explained(backup):
        if _same_file(target, backup):
            return
        try:
            with _temporary(backup) as temporary:
                os.link(target, temporary)
                os.replace(temporary, backup)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            replace(backup, target.read_bytes(), mode=target.stat().st_mode & 0o777)


def remove(path: Path) -> None:
    """Delete the file durably; one that is not there is no error.

    :raises WriteFailed: when it cannot be deleted.
    """
    with _explained(path), contextlib.suppress(FileNotFoundError):
        path.unlink()
        _sync_folder(path.parent)


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A free name beside the target; what has it in the end is deleted, if anything has.

    The name is always the same: what a killed writer left is found again, and does not pile up.
    """
    temporary = target.with_name(f".{target.name}{_TEMPORARY_SUFFIX}")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    try:
        yield temporary
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _same_file(one: Path, other: Path) -> bool:
    """Renaming a link over another one to the same file would leave both."""
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:
        return False


def _dress(descriptor: int, model: Path, mode: int) -> None:
    """Give the open file owner, mode and SELinux label of the model, where there is one."""
    try:
        status = os.stat(model)
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o7777)
    try:
        label = os.getxattr(model, _SELINUX)
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP):
            raise
    else:
        os.setxattr(descriptor, _SELINUX, label)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the system says into a sentence about the file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InsufficientSpace(
                f"{path} was left as it is because its file system is full; free some space there."
            ) from error
        raise WriteFailed(
            f"{path} could not be changed: {error.strerror}; "
            "make it writable for root and try again."
        ) from error
