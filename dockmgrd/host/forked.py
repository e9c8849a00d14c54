# SPDX-License-Identifier: LGPL-2.1-or-later
"""Work in a child process that is thrown away, with all that a library leaves in memory."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from dockmgrd.errors import Internal


async def in_child(work: Callable[[], Any]) -> Any:
    """What the function returns, as JSON can carry it, called in a forked child.

    For a process without threads. Nothing of the event loop is touched in the child.

    :raises Internal: when the child ends without an answer.
    """
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        _answer(work, sending)
    os.close(sending)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(receiving, "rb")
    )
    try:
        answer = await reader.read()
    finally:
        transport.close()
        os.waitpid(pid, 0)  # noqa: ASYNC222  # it has closed its end, and does nothing more
    if not answer:
        raise Internal("A helper process ended without an answer; the journal tells more.")
    return json.loads(answer)


def _answer(work: Callable[[], Any], sending: int) -> None:
    """The child's whole life: nothing of the parent's may run after it, whatever happens."""
    try:
        with os.fdopen(sending, "wb") as pipe:
            pipe.write(json.dumps(work()).encode("utf-8"))
    except BaseException:  # noqa: BLE001  # the outermost frame of this process
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)
