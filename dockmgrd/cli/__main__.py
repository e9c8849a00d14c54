# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl: the process, from its arguments to its exit code.

What a command needs is imported when it is known to be one: --help and a mistyped command need
neither asyncio nor the bus.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from dockmgrd.cli.arguments import PROGRAM, Invocation, parse
from dockmgrd.cli.output import discard_rest, prepare, print_json
from dockmgrd.errors import DockmgrError

_STOPPED_BY_SIGNAL = 128


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

    async def supervise() -> int:
        """Run the command until it ends or a signal says to leave it."""
        session = Session(invocation)
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
            return _STOPPED_BY_SIGNAL + received[0]
        return 0

    return asyncio.run(supervise())


def _say(sentence: str) -> None:
    from dockmgrd.cli.text import harmless

    with suppress(OSError):  # There is nobody left to tell.
        print(f"{PROGRAM}: {harmless(sentence)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
