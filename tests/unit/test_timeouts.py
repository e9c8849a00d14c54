# SPDX-License-Identifier: LGPL-2.1-or-later
"""Timeouts on all supported versions of Python."""

from __future__ import annotations

import asyncio

import pytest

from dockmgrd.timeouts import within

MOMENT = 0.01


async def test_an_outcome_in_time_is_returned_or_raised() -> None:
    async def broken() -> None:
        raise OSError("broken")

    assert await within(asyncio.sleep(0, "here"), None) == "here"
    with pytest.raises(OSError, match="broken"):
        await within(broken(), 60)


async def test_late_work_is_canceled_and_awaited() -> None:
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("slow")

    with pytest.raises(asyncio.TimeoutError):
        await within(slow(), MOMENT)
    assert ended == ["slow"]


@pytest.mark.parametrize("result", ["a result", OSError("an error")])
async def test_a_cancellation_that_comes_with_the_result_takes_effect(result: object) -> None:
    future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(within(future, 60))
    await asyncio.sleep(0)
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancellation_ends_what_was_waited_for() -> None:
    forever = asyncio.ensure_future(asyncio.Event().wait())
    waiting = asyncio.ensure_future(within(forever, 60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert forever.cancelled()
