# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks of the package manager: who holds one, and how to wait until it is released."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import rpm

from dockmgrd.errors import PackageManagerLocked, WriteFailed
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text

# struct flock of 64-bit Linux: type, whence, start, length, process id.
_FLOCK = struct.Struct("hhqqi4x")
_SECONDS_BETWEEN_POLLS = 0.5  # dnf polls, too
_MAX_COMMAND_LENGTH = 80

IsLocked = Callable[[], bool]


class Locked(PackageManagerLocked):
    """Another process works with packages."""

    def __init__(self, pid: int, is_locked: IsLocked) -> None:
        """
        :param pid: of the process that holds the lock; 0 when unknown.
        :param is_locked: whether it still does.
        """
        self.holder: Text = (
            messages.PROCESS(pid=pid, command=_read_command(pid))
            if pid > 0
            else messages.ANOTHER_PROCESS()
        )
        super().__init__(
            messages.PACKAGE_MANAGER_LOCKED(holder=self.holder).with_remedy(
                messages.WAIT_FOR_PACKAGE_MANAGER()
            )
        )
        self._is_locked = is_locked

    def wait(self, seconds: float) -> None:
        """Wait until the lock is released, for at most so many seconds."""
        deadline = time.monotonic() + seconds
        left = seconds
        while left > 0 and self._is_locked():
            time.sleep(min(left, _SECONDS_BETWEEN_POLLS))
            left = deadline - time.monotonic()


def require_rpm_free() -> None:
    """Check rpm's own lock: rpm would wait for it without end, and dnf does not know it.

    :raises Locked: when another process has an rpm transaction open.
    """
    require_free(Path(rpm.expandMacro("%{_rpmlock_path}")))


def require_free(path: Path) -> None:
    """Check the record lock (fcntl) of a file.

    :raises Locked: when another process holds it.
    :raises WriteFailed: when the file cannot be locked by anybody, such as on a read-only /usr.
    """
    pid = _find_holder(path)
    if pid is not None:
        raise Locked(pid, lambda: _find_holder(path) is not None)


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold a record lock on the file, which is created when it is missing.

    :raises Locked: when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            pid = _query_holder(descriptor) or 0
            raise Locked(pid, lambda: _find_holder(path) is not None) from error
        yield
    finally:
        os.close(descriptor)


def make_pid_file_error(files: Sequence[Path], pid: int) -> Locked:
    """The error for a process that wrote its id into one of the files, as dnf 4 does."""
    return Locked(pid, lambda: _is_running(pid) and any(_read_pid(file) == pid for file in files))


def require_pid_file_free(file: Path) -> None:
    """:raises Locked: when a running process has written its id into the file."""
    pid = _read_pid(file)
    if pid is not None and pid != os.getpid() and _is_running(pid):
        raise make_pid_file_error([file], pid)


def _find_holder(path: Path) -> int | None:
    """Id of a process with a record lock on the file; 0 when unknown, None when there is none."""
    try:
        with path.open("rb+") as file:
            return _query_holder(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        read_only = messages.READ_ONLY_FILE_SYSTEM(folder=str(path.parent))
        raise WriteFailed(read_only.with_remedy(messages.MOUNT_WRITABLE())) from error


def _query_holder(descriptor: int) -> int | None:
    question = _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    return None if kind == fcntl.F_UNLCK else max(pid, 0)


def _read_pid(file: Path) -> int | None:
    try:
        return int(file.read_bytes())
    except (OSError, ValueError):
        return None


def _is_running(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


def _read_command(pid: int) -> str:
    """The command line of the process, shortened and printable."""
    words = b""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    text = words.decode("utf-8", "replace").replace("\0", " ").strip()
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable[:_MAX_COMMAND_LENGTH] or "?"
