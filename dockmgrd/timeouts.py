# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting with an end: what asyncio.wait_for does without its fault in Pythons before 3.12."""

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
        await _ended(work)
    raise asyncio.TimeoutError


async def _ended(work: asyncio.Future[T]) -> None:
    """See to it that nothing of it goes on, or is missed by whoever looks for forgotten errors."""
    if not work.done():
        work.cancel()
        await asyncio.wait({work})
    if not work.cancelled():
        work.exception()
