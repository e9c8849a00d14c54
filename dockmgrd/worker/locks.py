# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who else is changing the host's packages."""

from __future__ import annotations

import fcntl
import struct
from pathlib import Path

import rpm

from dockmgrd.errors import PackageManagerLocked

# struct flock of Linux: type, whence, start, length, process id.
_FLOCK = struct.Struct("hhqqi4x")


def locked(pid: int) -> PackageManagerLocked:
    """The error that names the process which holds a lock."""
    return PackageManagerLocked(
        f"Process {pid} ({_command(pid)}) is using the package manager; "
        "wait until it has ended and try again."
    )


def require_rpm_free() -> None:
    """rpm itself would wait for its lock without end, and dnf knows nothing of that lock.

    :raises PackageManagerLocked: when another process has an rpm transaction open.
    """
    path = Path(rpm.expandMacro("%{_rpmlock_path}"))
    try:
        with path.open("rb+") as file:
            question = _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0)
            answer = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, question))
    except FileNotFoundError:
        return
    kind, _, _, _, pid = answer
    if kind != fcntl.F_UNLCK:
        raise locked(pid)


def _command(pid: int) -> str:
    """The command line of the process, shortened; its arguments may be anything."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "it has ended just now"
    words = raw.decode("utf-8", "replace").replace("\0", " ").strip()
    text = "".join(character if character.isprintable() else "?" for character in words)
    return text[:80] or "unknown"
