# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who else is changing the host's packages, and how to wait until they have done."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import rpm

from dockmgrd.errors import PackageManagerLocked

# struct flock of Linux: type, whence, start, length, process id.
_FLOCK = struct.Struct("hhqqi4x")
_WAYS_TO_LET_GO = 0x2 | 0x4 | 0x400  # inotify(7): IN_MODIFY, IN_ATTRIB, IN_DELETE_SELF

Wait = Callable[[float], None]
"""Waits at most so many seconds until the lock may be free."""


class Locked(PackageManagerLocked):
    """Another process works with packages."""

    def __init__(self, pid: int, wait: Wait) -> None:
        self.holder = f"process {pid} ({_command(pid)})" if pid > 0 else "another process"
        super().__init__(
            f"{self.holder[0].upper()}{self.holder[1:]} is using the package manager; "
            "wait until it has ended and try again."
        )
        self.wait = wait


def require_rpm_free() -> None:
    """rpm itself would wait for its lock without end, and dnf knows nothing of that lock.

    :raises Locked: when another process has an rpm transaction open.
    """
    require_free(Path(rpm.expandMacro("%{_rpmlock_path}")))


def require_free(path: Path) -> None:
    """:raises Locked: when another process has a record lock (fcntl) on the file."""
    with suppress(FileNotFoundError), path.open("rb+") as file:
        pid = _holder(file.fileno())
        if pid is not None:
            raise Locked(pid, lambda seconds: _wait_for_record_lock(path, seconds))


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Have a record lock on the file, which is made when it is missing.

    :raises Locked: when another process has one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            pid = _holder(descriptor) or 0
            raise Locked(pid, lambda seconds: _wait_for_record_lock(path, seconds)) from error
        yield
    finally:
        os.close(descriptor)


def named_in(files: Sequence[Path], pid: int) -> Locked:
    """The error for a process that has written its id into one of the files, as dnf4 does."""
    return Locked(pid, lambda seconds: _wait_for_file(files, pid, seconds))


def require_not_named(file: Path) -> None:
    """:raises Locked: when a process that runs has written its id into the file."""
    pid = _named(file)
    if pid not in (None, os.getpid()) and Path(f"/proc/{pid}").exists():
        raise named_in([file], pid or 0)


def _holder(descriptor: int) -> int | None:
    """Id of a process with a record lock on the file; 0 when the kernel cannot tell which."""
    question = _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    return None if kind == fcntl.F_UNLCK else max(pid, 0)


def _wait_for_record_lock(path: Path, seconds: float) -> None:
    """The kernel tells when such a lock is free to nobody but to who waits for it in fcntl."""

    def expire(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, expire)
    try:
        with suppress(FileNotFoundError, TimeoutError), path.open("rb+") as file:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            fcntl.lockf(file, fcntl.LOCK_EX)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _wait_for_file(files: Sequence[Path], pid: int, seconds: float) -> None:
    """Wait until the process has ended, or none of the files names it any longer."""
    until = time.monotonic() + seconds
    events = select.poll()
    with suppress(ProcessLookupError), _process(pid) as process, _changes_of(files) as changes:
        events.register(process, select.POLLIN)
        events.register(changes, select.POLLIN)
        while any(_named(file) == pid for file in files):
            ready = events.poll(max(0.0, until - time.monotonic()) * 1000)
            if not ready or any(descriptor == process for descriptor, _ in ready):
                return
            os.read(changes, 1 << 16)


@contextmanager
def _process(pid: int) -> Iterator[int]:
    """A descriptor that is ready when the process has ended."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _changes_of(files: Sequence[Path]) -> Iterator[int]:
    """A descriptor that is ready when one of the files was written or deleted (inotify)."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    try:
        for file in files:  # one that is gone cannot be watched, and need not be
            libc.inotify_add_watch(descriptor, os.fsencode(file), _WAYS_TO_LET_GO)
        yield descriptor
    finally:
        os.close(descriptor)


def _named(file: Path) -> int | None:
    try:
        return int(file.read_bytes())
    except (OSError, ValueError):
        return None


def _command(pid: int) -> str:
    """The command line of the process, shortened; its arguments may be anything."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "it has ended just now"
    words = raw.decode("utf-8", "replace").replace("\0", " ").strip()
    text = "".join(character if character.isprintable() else "?" for character in words)
    return text[:80] or "unknown"
