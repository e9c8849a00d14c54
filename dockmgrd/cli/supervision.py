# SPDX-License-Identifier: LGPL-2.1-or-later
"""A command that runs until it ends, or until a signal says to leave it."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import Protocol

from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.view.terminal import say
from dockmgrd.cli.waiting import Stopped, readable, stoppable

STOPPED_BY_SIGNAL = 128
_SECONDS_TO_PRESS_AGAIN = 2.0


class Run(Protocol):
    """What an invocation does: see `session.Session`."""

    successor: tuple[str, ...]

    @property
    def farewell(self) -> str: ...
    @property
    def followed(self) -> str: ...
    def run(self) -> int: ...
    def leave(self) -> None: ...


def run(invocation: Invocation) -> int:
    """Run the command on this host or on others, and return the exit code.

    :raises DockmgrError: when it is refused or fails.
    """
    command = _run_of(invocation)
    with stoppable():
        code = _supervised(invocation, command)
    if command.successor:
        sys.stdout.flush()
        os.execvp(command.successor[0], command.successor)
    return code


def _run_of(invocation: Invocation) -> Run:
    if invocation.hosts:
        from dockmgrd.cli.hosts.fleet import Fleet

        return Fleet(invocation)
    from dockmgrd.cli.session import Session

    return Session(invocation)


def _supervised(invocation: Invocation, command: Run) -> int:
    try:
        return command.run()
    except Stopped as stopped:
        command.leave()
        if command.farewell:
            say(command.farewell)
        if command.followed and stopped.number == signal.SIGINT and sys.stdin.isatty():
            _hear_again(invocation, command.followed)
        return STOPPED_BY_SIGNAL + stopped.number


def _hear_again(invocation: Invocation, job: str) -> None:
    """Cancel the job when Ctrl-C is pressed once more."""
    try:
        readable(timeout=_SECONDS_TO_PRESS_AGAIN)
    except Stopped:
        _run_of(replace(invocation, command="cancel", job=job, fastest=False)).run()
