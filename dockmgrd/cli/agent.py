# SPDX-License-Identifier: LGPL-2.1-or-later
"""polkit's text agent, which asks for the password on the terminal while a call is authorised."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_SECONDS_TO_REGISTER = 10.0


@asynccontextmanager
async def text_agent(*, wanted: bool) -> AsyncIterator[bool]:
    """Have an agent for this process while the context lasts, as systemctl does; say if so.

    There is none for root, whom polkit asks nothing, nor where the program is not installed: the
    service then says itself that it would have had to ask.
    """
    agent = await _start() if wanted and os.geteuid() != 0 else None
    try:
        yield agent is not None
    finally:
        if agent is not None:
            await _stop(agent)


async def _start() -> Process | None:
    """The agent, registered with polkit: it closes the descriptor it was given to say so."""
    ready, notify = os.pipe()
    try:
        agent = await asyncio.create_subprocess_exec(
            *("pkttyagent", "--process", str(os.getpid())),
            *("--notify-fd", str(notify), "--fallback"),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            pass_fds=[notify],
        )
    except OSError:
        os.close(ready)
        return None
    finally:
        os.close(notify)
    try:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_readable(ready), _SECONDS_TO_REGISTER)
    except asyncio.CancelledError:
        await _stop(agent)
        raise
    finally:
        os.close(ready)
    return agent


async def _readable(descriptor: int) -> None:
    """Return when the other end of the pipe is closed."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(descriptor, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(descriptor)


async def _stop(agent: Process) -> None:
    with suppress(ProcessLookupError):
        agent.terminate()
        # It may have been stopped for reading from the terminal in the background.
        agent.send_signal(signal.SIGCONT)
    await agent.wait()
