# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keeps the host from shutting down or sleeping while rpm writes.

The lock is a file descriptor, which our bus connection cannot receive, so systemd-inhibit holds it
around a `cat`: what `cat` sends back says that the lock is held, and it ends with its input.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dockmgrd.timeouts import within

logger = logging.getLogger(__name__)

_COMMAND = (
    "systemd-inhibit",
    "--what=shutdown:sleep",
    "--mode=block",
    "--who=dockmgrd",
    "--why=Packages of the Docker Engine are being written",
    "cat",
)
_SIGN = b"held\n"
_SECONDS_TO_GET_IT = 5.0


@asynccontextmanager
async def inhibited() -> AsyncIterator[None]:
    """Hold the lock within the context. A host that gives none is told in the log: we go on."""
    holder = await _holder()
    try:
        yield
    finally:
        if holder is not None and holder.stdin is not None:
            holder.stdin.close()
            await holder.wait()


async def _holder() -> asyncio.subprocess.Process | None:
    """The process that holds the lock until its input ends, once it does."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
    except OSError as error:
        logger.info("no lock against shutdown: %s", error)
        return None
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(_SIGN)
    try:
        await within(process.stdout.readexactly(len(_SIGN)), _SECONDS_TO_GET_IT)
    except (asyncio.TimeoutError, asyncio.IncompleteReadError):
        logger.info("no lock against shutdown: logind did not give one")
    return process
