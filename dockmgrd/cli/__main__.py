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
from typing import NoReturn

from dockmgrd import __version__
from dockmgrd.cli.commands.all import JSON_AUTO, PROGRAM
from dockmgrd.cli.commands.arguments import Invocation, NoCommand, parse, wants_json
from dockmgrd.cli.prepared import WIDTH
from dockmgrd.cli.view.terminal import columns, discard_rest, prepare, print_json, say
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
        say(f"The answer cannot be written ({error.strerror}); what was asked for is done.")
        return DockmgrError.exit_code


def run() -> NoReturn:
    """Be the process: what Python tidies up at its end takes longer than the answer to --help."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run_and_flush(given: Sequence[str]) -> int:
    if given[:1] == ["complete"]:
        from dockmgrd.cli import complete

        return complete.run(given[1:])
    form = JSON_AUTO if wants_json(given) else ""
    try:
        invocation = parse(given)
        form = invocation.json
        code = _run(invocation)
    except DockmgrError as error:
        code = _refused(error, form)
    sys.stdout.flush()
    return code


def _refused(error: DockmgrError, form: str) -> int:
    """Tell why there is no answer; --json has it as its document."""
    if form:
        from dockmgrd.cli.commands.exitcodes import to_json

        print_json(to_json(error), form)
    elif isinstance(error, NoCommand):
        from dockmgrd.cli.view import help as helptext

        print("\n".join(helptext.overview(min(columns(sys.stderr), WIDTH))), file=sys.stderr)
    say(error.message)
    return error.exit_code


def _run(invocation: Invocation) -> int:
    if invocation.command == "help":
        return _explain(invocation)
    if invocation.brief:
        print(f"{PROGRAM} {__version__}")
        return 0
    from dockmgrd.cli import supervision

    return supervision.run(invocation)


def _explain(invocation: Invocation) -> int:
    from dockmgrd.cli.commands.all import find
    from dockmgrd.cli.view import help as helptext
    from dockmgrd.cli.view import pager

    command, width = find(invocation.topic), min(columns(sys.stdout), WIDTH)
    lines = helptext.explained(command, width) if command else helptext.overview(width)
    pager.show(lines, paged=invocation.pager)
    return 0


if __name__ == "__main__":
    run()
