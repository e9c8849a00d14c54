# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make check-busy` ends the processes that it starts beside the tests."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import busy
from bed.limits import HANG_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]


@contextmanager
def run_busy(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command beside the loops; what it prints first has been read."""
    with subprocess.Popen(
        [sys.executable, "-m", "bed.busy", "sh", "-c", *command],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process


def open_loops(pid: int) -> list[int]:
    """Return a descriptor for each loop, which becomes readable when the loop ends."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    loops = [int(child) for child in children[: busy.LOOPS]]  # they are started first
    assert len(loops) == busy.LOOPS
    return [os.pidfd_open(child) for child in loops]


def wait_for_end(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        assert select.select([descriptor], [], [], HANG_TIMEOUT)[0], "a loop runs on"
        os.close(descriptor)


def test_the_exit_status_is_the_commands() -> None:
    with run_busy("echo begun; read line; exit 3") as process:
        loops = open_loops(process.pid)
        process.communicate("go\n")
    assert process.returncode == 3
    wait_for_end(loops)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_loops_end_when_it_is_interrupted(number: signal.Signals) -> None:
    with run_busy("echo begun; exec cat >/dev/null") as process:
        loops = open_loops(process.pid)
        process.send_signal(number)
        process.wait(HANG_TIMEOUT)
        wait_for_end(loops)
    assert process.returncode in (-number, 128 + number)


def test_the_loops_have_the_usual_priority() -> None:
    with run_busy("echo begun; exec cat >/dev/null") as process:
        loops = open_loops(process.pid)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert [os.getpriority(os.PRIO_PROCESS, int(child)) for child in children[:2]] == [0, 0]
    wait_for_end(loops)
