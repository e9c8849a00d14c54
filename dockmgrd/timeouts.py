# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting with a time limit: asyncio.wait_for without its bug in Python before 3.12."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(awaitable: Awaitable[T], seconds: float | None) -> T:
    """The result of the awaitable, which is cancelled when it is late; None gives it all the time.

    wait_for returned a result that came together with a cancellation, which was lost over it
    (https://github.com/python/cpython/issues/86296).

    :raises asyncio.TimeoutError: when it is late.
    """
    work = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({work}, timeout=seconds)
        if work.done():
            return work.result()
    finally:
        await _finish(work)
    raise asyncio.TimeoutError


async def _finish(work: asyncio.Future[T]) -> None:
    """Cancel the work if it still runs, and retrieve its error so that asyncio does not log it."""
    if not work.done():
        work.cancel()
        await asyncio.wait({work})
    if not work.cancelled():
        work.exception()
