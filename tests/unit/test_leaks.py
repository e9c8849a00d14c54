# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guard against leaks fails a test that leaves something behind, and no other test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
_TEST = """
import asyncio, socket, subprocess, threading
from unit import leaks
from unit.leaks import leak_guard, leak_guard_in_loop

leaks._PATIENCE = 0.1
kept = []

{test}
"""


@pytest.mark.parametrize(
    ("test", "left"),
    [
        ("def test(): kept.append(socket.socket())", "socket:"),
        ("def test(): kept.append(subprocess.Popen(['sleep', '5']))", "process "),
        ("def test(): threading.Timer(5, int).start()", "thread "),
        ("async def test(): kept.append(asyncio.create_task(asyncio.Event().wait()))", "task "),
        ("async def test(): kept.append(socket.socket())", "socket:"),
        ("def test():\\n    with socket.socket(): pass", ""),
        ("def test(): subprocess.run(['true'])", ""),
        ("async def test(): kept.append(asyncio.create_task(asyncio.sleep(0)))", ""),
        ("async def test(): await asyncio.to_thread(int)", ""),
    ],
)
def test_guard_names_what_is_left(tmp_path: Path, test: str, left: str) -> None:
    path = tmp_path / "test_something.py"
    path.write_text(_TEST.format(test=test.replace("\\n", "\n")))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"),
            path,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (f"left behind: {left}" in done.stdout) == bool(left), done.stdout
    assert "1 passed" in done.stdout
    assert (done.returncode == 0) is not bool(left)
