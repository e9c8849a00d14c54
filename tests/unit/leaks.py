# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pytest plugin: a unit test ends every task, thread, process and socket that it has started.

What it leaves may fail a later test or hide that a program of ours leaves the same.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

_PATIENCE = 30.0
"""Seconds for what is about to end, such as a thread that has been told to; on a busy machine."""
_STEP = 0.01


@pytest.fixture(autouse=True)
def leak_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test when something that it started is still there after its fixtures.

    A fixture with a wider scope may start what lives longer.
    """
    if inspect.iscoroutinefunction(request.node.obj):
        request.getfixturevalue("leak_guard_in_loop")
        yield
        return
    before = _find_resources()
    yield
    deadline = time.monotonic() + _PATIENCE
    while _find_resources() - before and time.monotonic() < deadline:
        gc.collect()
        time.sleep(_STEP)
    _check(_find_resources() - before)


@pytest_asyncio.fixture
async def leak_guard_in_loop() -> AsyncIterator[None]:
    """Do the same for a coroutine, whose tasks and sockets end by turns of the event loop."""
    before = _find_resources() | _find_tasks()
    yield
    deadline = time.monotonic() + _PATIENCE
    while (_find_resources() | _find_tasks()) - before and time.monotonic() < deadline:
        gc.collect()
        await asyncio.sleep(_STEP)
    _check((_find_resources() | _find_tasks()) - before)


def _check(leaked: frozenset[str]) -> None:
    assert not leaked, f"left behind: {', '.join(sorted(leaked))}"


def _find_tasks() -> frozenset[str]:
    # The task of a fixture is another one at its end.
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return frozenset(f"task {task.get_name()} {task.get_coro()}" for task in others)


def _find_resources() -> frozenset[str]:
    """What of this process a test could leave behind."""
    return frozenset({*_find_threads(), *_find_processes(), *_find_sockets()})


def _find_threads() -> Iterator[str]:
    for thread in threading.enumerate():
        if thread.name.startswith("asyncio_"):
            continue  # of the event loop, which ends it when it is closed
        yield f"thread {thread.name} {thread.ident}"


def _find_processes() -> Iterator[str]:
    for task in Path("/proc/self/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except FileNotFoundError:
            continue  # a thread that has ended meanwhile
        yield from (f"process {child} {_read_command(child)}" for child in children)


def _read_command(process: str) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def _find_sockets() -> Iterator[str]:
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue  # that of the listing itself
        if target.startswith("socket:"):
            yield target
