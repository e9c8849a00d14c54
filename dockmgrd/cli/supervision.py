# SPDX-License-Identifier: LGPL-2.1-or-later
"""A command that runs until it ends, or until a signal stops it."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

from dockmgrd import __version__
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.session import Session
from dockmgrd.cli.view.answers import print_error
from dockmgrd.cli.view.terminal import report
from dockmgrd.cli.waiting import Stopped, catch_signals, wait_until_readable
from dockmgrd.errors import Cancelled, DockmgrError, HostUnreachable
from dockmgrd.messages import client as messages

_SIGNAL_CODE_BASE = 128
_NOT_UNDERSTOOD = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
)
_SECOND_INTERRUPT_TIMEOUT = 2.0


def run_invocation(invocation: Invocation) -> int:
    """Run the command, and return the exit code."""
    command = Session(invocation)
    try:
        with catch_signals():
            code = _run_until_stopped(invocation, command)
    except DockmgrError as error:
        return print_error(error, invocation.json, command.job_id, program=invocation.program)
    if command.successor:
        sys.stdout.flush()
        os.execvp(command.successor[0], command.successor)
    return code


def _run(invocation: Invocation, command: Session) -> int:
    """Run the command, and return the exit code.

    :raises DockmgrError: as `Session.run`; also if another host sends what we do not understand.
    """
    if not invocation.host:
        return command.run()
    try:
        return command.run()
    except _NOT_UNDERSTOOD as error:
        text = messages.ANSWER_UNREADABLE(host=invocation.host, version=__version__)
        raise HostUnreachable(text.with_remedy(messages.USE_ONE_VERSION())) from error


def _run_until_stopped(invocation: Invocation, command: Session) -> int:
    try:
        return _run(invocation, command)
    except Stopped as stopped:
        command.leave()
        if command.interrupt_message:
            report(command.interrupt_message)
        if command.job_id and stopped.number == signal.SIGINT and sys.stdin.isatty():
            return _wait_for_second_interrupt(invocation, command.job_id)
        return _SIGNAL_CODE_BASE + stopped.number


def _wait_for_second_interrupt(invocation: Invocation, job_id: str) -> int:
    """Cancel the job if Ctrl-C is pressed once more, and return the exit code.

    :raises DockmgrError: if the job cannot be canceled.
    """
    try:
        wait_until_readable(timeout=_SECOND_INTERRUPT_TIMEOUT)
    except Stopped:
        Session(
            replace(invocation, command="cancel", job=job_id, fastest=False, probes_sources=False)
        ).run()
        return Cancelled.exit_code
    return _SIGNAL_CODE_BASE + signal.SIGINT
