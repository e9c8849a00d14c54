# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl: the process, from its arguments to its exit code.

What a command needs is loaded when the command is known: --help and a mistyped command do not need
the bus.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from dockmgrd import __version__
from dockmgrd.cli.commands.all import JSON_AUTO, PROGRAM, find_command
from dockmgrd.cli.commands.arguments import Invocation, NoCommand, parse, wants_json
from dockmgrd.cli.loading import load
from dockmgrd.cli.view import help as help_view
from dockmgrd.cli.view.terminal import discard_rest, get_columns, prepare_streams, report
from dockmgrd.errors import DockmgrError
from dockmgrd.messages import client as messages

_SIGNAL_CODE_BASE = 128
_COMPLETE = "dockmgrd.cli.complete:run"
_RUN_INVOCATION = "dockmgrd.cli.supervision:run_invocation"
_PRINT_ERROR = "dockmgrd.cli.view.answers:print_error"
_SHOW_IN_PAGER = "dockmgrd.cli.view.pager:show_lines"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return the exit code.

    0 is success, any other the code of an error's class; see `dockmgrd.errors`.
    """
    prepare_streams()
    try:
        return _run_and_flush(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return _SIGNAL_CODE_BASE + signal.SIGINT
    except BrokenPipeError:
        discard_rest()  # The reader of our answer has seen enough.
        return _SIGNAL_CODE_BASE + signal.SIGPIPE
    except OSError as error:
        discard_rest()
        report(messages.OUTPUT_FAILED(reason=error.strerror or str(error)))
        return DockmgrError.exit_code


def run() -> NoReturn:
    """Be the process. Python's cleanup at exit would take longer than the answer to --help."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run_and_flush(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["complete"]:
        completed: int = load(_COMPLETE)(arguments[1:])
        return completed
    form = JSON_AUTO if wants_json(arguments) else ""
    try:
        code = _run(parse(arguments))
    except NoCommand as error:
        code = _print_usage(error, form)
    except DockmgrError as error:
        code = load(_PRINT_ERROR)(error, form)
    sys.stdout.flush()
    return code


def _run(invocation: Invocation) -> int:
    if invocation.command == "help":
        return _print_help(invocation)
    if invocation.brief:
        print(f"{PROGRAM} {__version__}")
        return 0
    code: int = load(_RUN_INVOCATION)(invocation)
    return code


def _print_usage(error: NoCommand, form: str) -> int:
    if form:
        code: int = load(_PRINT_ERROR)(error, form)
        return code
    width = min(get_columns(sys.stderr), help_view.WIDTH)
    print("\n".join(help_view.format_usage(width)), file=sys.stderr)
    return error.exit_code


def _print_help(invocation: Invocation) -> int:
    command = find_command(invocation.topic)
    width = min(get_columns(sys.stdout), help_view.WIDTH)
    lines = help_view.format_overview(width)
    if command is not None:
        lines = help_view.format_command(command, width)
    if invocation.pager and sys.stdout.isatty():
        load(_SHOW_IN_PAGER)(lines)
    else:
        print("\n".join(lines))
    return 0


if __name__ == "__main__":
    run()
