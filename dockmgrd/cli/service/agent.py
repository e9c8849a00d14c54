# SPDX-License-Identifier: LGPL-2.1-or-later
"""polkit's text agent, which prompts for the password while a call is authorized."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dockmgrd.cli.waiting import wait_until_readable

_PROGRAM = "pkttyagent"
_REGISTER_TIMEOUT = 10.0


@contextmanager
def run_text_agent(*, wanted: bool) -> Iterator[bool]:
    """Run an agent for this process while the context lasts, as systemctl does.

    Root needs none. Without the program, the service itself refuses what needs a password.

    :returns: whether there is one.
    """
    if not wanted or os.geteuid() == 0:
        yield False
        return
    ready, notify = os.pipe()
    agent = _start(notify)
    os.close(notify)
    try:
        if agent is not None:
            wait_until_readable(ready, timeout=_REGISTER_TIMEOUT)
        yield agent is not None
    finally:
        os.close(ready)
        if agent is not None:
            _stop(agent)


def _start(notify: int) -> int | None:
    """Return the process id of the agent, which closes `notify` when polkit knows it."""
    os.set_inheritable(notify, True)  # noqa: FBT003
    words = (_PROGRAM, "--process", str(os.getpid()), "--notify-fd", str(notify), "--fallback")
    streams = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    try:
        return os.posix_spawnp(_PROGRAM, words, os.environ, file_actions=streams)
    except OSError:
        return None


def _stop(agent: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(agent, signal.SIGTERM)
        # It may be stopped, if it tried to read from the terminal in the background.
        os.kill(agent, signal.SIGCONT)
    os.waitpid(agent, 0)
