# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl: the process, from its arguments to its exit code.

What a command needs is imported when it is known to be one: --help and a mistyped command need
neither asyncio nor the bus.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from dockmgrd.cli.arguments import PROGRAM, Invocation, parse
from dockmgrd.cli.output import discard_rest, prepare, print_json
from dockmgrd.errors import DockmgrError

_STOPPED_BY_SIGNAL = 128
_SECONDS_TO_PRESS_AGAIN = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, that of the process by default, and return the exit code.

    0 is success, the code of the error's class anything else; see `dockmgrd.errors`.
    """
    prepare()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return _run_and_flush(given)
    except KeyboardInterrupt:
        return _STOPPED_BY_SIGNAL + signal.SIGINT
    except BrokenPipeError:
        discard_rest()  # Who read our answer has seen enough.
        return _STOPPED_BY_SIGNAL + signal.SIGPIPE
    except OSError as error:
        discard_rest()
        _say(f"The answer cannot be written ({error.strerror}); what was asked for is done.")
        return DockmgrError.exit_code


def run() -> NoReturn:
    """Be the process: what Python tidies up at its end takes longer than the answer to --help."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run_and_flush(given: Sequence[str]) -> int:
    as_json = "--json" in given
    code = 0
    try:
        invocation = parse(given)
        as_json = invocation.json
        code = _run(invocation)
    except DockmgrError as error:
        if as_json:
            from dockmgrd.cli.failures import to_json

            print_json(to_json(error))
        _say(error.message)
        code = error.exit_code
    sys.stdout.flush()
    return code


def _run(invocation: Invocation) -> int:
    import asyncio

    from dockmgrd.cli.session import Session

    session = Session(invocation)

    async def supervise() -> int:
        """Run the command until it ends or a signal says to leave it."""
        task = asyncio.ensure_future(session.run())
        received: list[int] = []

        def stop(number: int) -> None:
            received.append(number)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
                asyncio.get_running_loop().add_signal_handler(number, stop, number)
        try:
            await task
        except asyncio.CancelledError:
            session.leave()
            if session.farewell:
                _say(session.farewell)
            if session.followed and received == [signal.SIGINT] and sys.stdin.isatty():
                await _hear_again(session.followed)
            return _STOPPED_BY_SIGNAL + received[0]
        return 0

    async def _hear_again(job: str) -> None:
        """Cancel the job when Ctrl-C is pressed once more."""
        again = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, again.set)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(again.wait(), _SECONDS_TO_PRESS_AGAIN)
            await Session(replace(invocation, command="cancel", job=job, fastest=False)).run()

    code = asyncio.run(supervise())
    if session.successor:
        sys.stdout.flush()
        os.execvp(session.successor[0], session.successor)
    return code


def _say(sentence: str) -> None:
    from dockmgrd.cli.text import harmless

    with suppress(OSError):  # There is nobody left to tell.
        print(f"{PROGRAM}: {harmless(sentence)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run()
