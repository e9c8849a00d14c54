# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of the host: read, replaced and removed, whatever stands at their path.

A file is either the old or the new one, whatever happens while it is written. Links, loops,
directories, devices, mounts and immutable files are recognized before or explained after.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from dockmgrd.errors import ConfigInvalid, InsufficientSpace, WriteFailed
from dockmgrd.host import regular_files
from dockmgrd.host.obstacles import describe_kind, find_obstacle, get_reason
from dockmgrd.host.selinux import restore_labels
from dockmgrd.messages import files as messages
from dockmgrd.messages.text import Text

_ATTRIBUTES = ("security.selinux", "system.posix_acl_access")
_OF_USERS = "user."
_TEMPORARY_SUFFIX = ".dockmgrd-new"
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)


def read(path: Path) -> bytes | None:
    """The content of a regular file, through symbolic links; None when there is none.

    :raises ConfigInvalid: when the path leads to something else, in a circle, or cannot be read.
    """
    try:
        return regular_files.read_bytes(path)
    except FileNotFoundError:
        return None
    except regular_files.NotRegularError as error:
        text = _describe_misfit(path, error.kind)
        raise ConfigInvalid(text.with_remedy(messages.CORRECT_PATH())) from error
    except OSError as error:
        text = (
            messages.LINK_LOOP(file=str(path))
            if error.errno == errno.ELOOP
            else messages.READ_FAILED(file=str(path), reason=error.strerror or str(error))
        )
        raise ConfigInvalid(text.with_remedy(messages.CORRECT_PATH(), f"ls -l {path}")) from error


def check_replaceable(path: Path) -> None:
    """Check what can be checked before `replace`, without changing anything.

    :raises WriteFailed: naming what is in the way: a loop, a directory, a device, a folder that is
        a file, a link into a folder that does not exist, a read-only mount, an immutable file.
    """
    target = _resolve(path)
    _check_target(path, target)
    obstacle = find_obstacle(path, target)
    if obstacle is not None:
        raise WriteFailed(obstacle)


def replace(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = True) -> None:
    """Replace the content of the file at once; parent folders are created. Not for two at a time.

    An existing file keeps its owner, mode, access list, SELinux label and the attributes that users
    have set, and a symbolic link stays one: its target is replaced. A new file gets the mode. What
    a killed writer left behind is removed.

    :param durable: whether a loss of power right after this must find the new content.
    :raises InsufficientSpace, WriteFailed: when it cannot be written; the file is as it was.
    """
    target = _resolve(path)
    _check_target(path, target)
    with explain_errors(path, target):
        _make_folder(target.parent)
        with _temporary_name(target) as temporary:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(temporary, flags, 0o600), "wb") as file:
                copy_metadata(file.fileno(), target, mode)
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(temporary, target)
        if durable:
            _sync_folder(target.parent)


def back_up(path: Path, backup: Path) -> None:
    """Keep the present content of the file at `backup`, in place of an older one.

    It is a second link to the file where that is possible, so that nothing has to be written: the
    next `replace` leaves it alone. It is as durable as that.

    :raises InsufficientSpace, WriteFailed: when it cannot be kept.
    """
    target = _resolve(path)
    with explain_errors(backup, backup):
        if _is_same_file(target, backup):
            return
        try:
            with _temporary_name(backup) as temporary:
                os.link(target, temporary)
                os.replace(temporary, backup)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            replace(backup, target.read_bytes(), mode=target.stat().st_mode & 0o777)


def remove(path: Path) -> None:
    """Delete what has this name, a link itself included; a missing file is no error.

    :raises WriteFailed: when it cannot be deleted.
    """
    with explain_errors(path, path), contextlib.suppress(FileNotFoundError):
        path.unlink()
        _sync_folder(path.parent)


def remove_target(path: Path) -> None:
    """Undo a `replace` that created the file: a link to it stays, and dangles again.

    :raises WriteFailed: when it cannot be deleted.
    """
    remove(_resolve(path))


def _resolve(path: Path) -> Path:
    """The file that the links at the path lead to.

    :raises WriteFailed: when they lead in a circle.
    """
    target = Path(os.path.realpath(path))
    if os.path.islink(target):  # realpath stops inside of a loop
        loop = messages.LINK_LOOP(file=str(path))
        raise WriteFailed(loop.with_remedy(messages.CORRECT_PATH(), f"ls -l {path}"))
    return target


def _check_target(path: Path, target: Path) -> None:
    """:raises WriteFailed: when a file must not be put at the target."""
    try:
        kind = describe_kind(os.stat(target).st_mode)
    except FileNotFoundError:
        if os.path.islink(path) and not os.path.isdir(target.parent):
            dangling = messages.LINK_TO_MISSING_FOLDER(file=str(path), target=str(target))
            raise WriteFailed(dangling.with_remedy(messages.CORRECT_PATH())) from None
        return
    except OSError:
        return  # the attempt to write will explain it
    if kind is not None:
        misfit = _describe_misfit(path, kind)
        raise WriteFailed(misfit.with_remedy(messages.CORRECT_PATH(), f"ls -l {path}"))


def _describe_misfit(path: Path, kind: Text) -> Text:
    """What stands at the path in place of a regular file."""
    if os.path.islink(path):
        target = os.path.realpath(path)
        return messages.LINK_TO_NO_FILE(file=str(path), target=target, kind=kind)
    return messages.NOT_A_REGULAR_FILE(file=str(path), kind=kind)


@contextlib.contextmanager
def _temporary_name(target: Path) -> Iterator[Path]:
    """A free name beside the target; a file that still has it at the end is deleted.

    The name is always the same, so that files of killed writers do not pile up.
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


def _is_same_file(one: Path, other: Path) -> bool:
    """Renaming a link over another one to the same file would leave both."""
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:
        return False


def copy_metadata(descriptor: int, model: Path | int, mode: int) -> None:
    """Give the open file owner, mode and extended attributes of the model, where there is one."""
    try:
        status = os.stat(model)
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (status.st_uid, status.st_gid):
        # The sandbox of the daemon forbids the call, also where it would change nothing.
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o7777)
    for name in _list_attributes(model):
        os.setxattr(descriptor, name, os.getxattr(model, name))


def _list_attributes(model: Path | int) -> list[str]:
    """Those that do not depend on the content; none where the file system has no attributes."""
    try:
        every = os.listxattr(model)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return []
    return [name for name in every if name in _ATTRIBUTES or name.startswith(_OF_USERS)]


def _make_folder(folder: Path) -> None:
    if os.path.isdir(folder):
        return
    made = [each for each in (*reversed(folder.parents), folder) if not os.path.exists(each)]
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    _sync_folder(folder.parent)
    restore_labels(*made)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def explain_errors(path: Path, target: Path) -> Iterator[None]:
    """Turn an OSError into an error that names what is in the way.

    :raises InsufficientSpace, WriteFailed: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            full = messages.FILE_SYSTEM_FULL(file=str(path))
            raise InsufficientSpace(full.with_remedy(messages.FREE_SPACE_THERE())) from error
        raise WriteFailed(find_obstacle(path, target) or get_reason(path, error)) from error
