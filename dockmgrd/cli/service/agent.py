# SPDX-License-Identifier: LGPL-2.1-or-later
"""polkit's text agent, which asks for the password on the terminal while a call is authorised."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dockmgrd.cli.waiting import readable

_PROGRAM = "pkttyagent"
_SECONDS_TO_REGISTER = 10.0


@contextmanager
def text_agent(*, wanted: bool) -> Iterator[bool]:
    """Have an agent for this process while the context lasts, as systemctl does; say if so.

    There is none for root, whom polkit asks nothing, nor where the program is not installed: the
    service then says itself that it would have had to ask.
    """
    if not wanted or os.geteuid() == 0:
        yield False
        return
    ready, notify = os.pipe()
    agent = _start(notify)
    os.close(notify)
    try:
        if agent is not None:
            readable(ready, timeout=_SECONDS_TO_REGISTER)
        yield agent is not None
    finally:
        os.close(ready)
        if agent is not None:
            _stop(agent)


def _start(notify: int) -> int | None:
    """Process id of the agent, which closes the descriptor when it is registered with polkit."""
    os.set_inheritable(notify, True)  # noqa: FBT003
    words = (_PROGRAM, "--process", str(os.getpid()), "--notify-fd", str(notify), "--fallback")
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    try:
        return os.posix_spawnp(_PROGRAM, words, os.environ, file_actions=nowhere)
    except OSError:
        return None


def _stop(agent: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(agent, signal.SIGTERM)
        # It may have been stopped for reading from the terminal in the background.
        os.kill(agent, signal.SIGCONT)
    os.waitpid(agent, 0)
