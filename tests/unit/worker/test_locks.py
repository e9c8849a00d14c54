# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who holds a lock of the package manager, and the wait for its release."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("rpm")  # Debian's module is for Debian's Python alone.

from dockmgrd.worker import locks

_HOLD = """
import fcntl, sys
file = open(sys.argv[1], "ab+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the record lock of the file until its input ends."""
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()


def test_a_lock_names_its_holder_and_can_be_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    locks.require_free(path)
    with another_process(path) as process:
        with pytest.raises(locks.Locked) as caught:
            locks.require_free(path)
        assert caught.value.holder.args["pid"] == process.pid
        caught.value.wait(0.0)
        with pytest.raises(locks.Locked), locks.hold_lock(path):
            pass
    caught.value.wait(3600.0)  # The holder is gone, so this returns at once.
    with locks.hold_lock(path):
        pass


def test_a_pid_file_counts_while_its_process_runs(tmp_path: Path) -> None:
    path = tmp_path / "lock.pid"
    locks.require_pid_file_free(path)
    path.write_text(str(os.getpid()))
    locks.require_pid_file_free(path)
    path.write_text("1")
    with pytest.raises(locks.Locked) as caught:
        locks.require_pid_file_free(path)
    path.unlink()
    caught.value.wait(3600.0)
