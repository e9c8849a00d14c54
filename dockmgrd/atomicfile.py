# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that are either the old or the new one, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dockmgrd.errors import InsufficientSpace, WriteFailed

_SELINUX = "security.selinux"


def replace(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Give the file this content, durably and at once; parent folders are made.

    An existing file keeps its owner, mode and SELinux label, and a symbolic link stays one: its
    target is replaced. A new file gets the mode.

    :raises InsufficientSpace, WriteFailed: when it cannot be written; the file is as it was.
    """
    target = Path(os.path.realpath(path))
    with _explained(path):
        _make_folder(target.parent)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _dress(file.fileno(), target, mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
        _sync_folder(target.parent)


def remove(path: Path) -> None:
    """Delete the file durably; one that is not there is no error.

    :raises WriteFailed: when it cannot be deleted.
    """
    with _explained(path), contextlib.suppress(FileNotFoundError):
        path.unlink()
        _sync_folder(path.parent)


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
