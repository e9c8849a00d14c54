# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard output and standard error: made fit to write to, their width, and JSON on them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO


def prepare() -> None:
    """Make it possible to write to both: one may be closed, or know fewer characters than we."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def discard_rest() -> None:
    """Let nothing more reach standard output, so that Python does not complain as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(data: Any, form: str = "auto") -> None:
    """The one document of --json, in ASCII: no text in it can steer a terminal.

    :param form: "short" is one line, "pretty" is many, anything else what fits the stream.
    """
    import json  # --help needs none

    pretty = form == "pretty" or (form != "short" and sys.stdout.isatty())
    print(json.dumps(data, indent=2 if pretty else None))


def say(sentence: str) -> None:
    """Tell the user on standard error who speaks, and what there is to say."""
    from dockmgrd.cli.i18n.translation import told
    from dockmgrd.cli.view.text import harmless

    write(sys.stderr, f"dockmgrctl: {harmless(told(sentence))}\n")


def write(stream: TextIO, text: str) -> None:
    """Write at once. A reader who has gone away is no reason to stop."""
    with suppress(OSError):
        stream.write(text)
        stream.flush()


def draws(stream: TextIO) -> bool:
    """Whether what is drawn on the stream can be drawn anew in its place."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def can_write(stream: TextIO, text: str) -> bool:
    """Whether the encoding of the stream has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def rows(stream: TextIO) -> int:
    """Height of the terminal behind the stream, as it is now; 24 where nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).lines or 24
    except OSError:
        return 24


def columns(stream: TextIO) -> int:
    """Width of the terminal behind the stream, as it is now; 80 where nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def answer_width() -> int | None:
    """Columns to lay out an answer in; None where no terminal limits it."""
    return columns(sys.stdout) if sys.stdout.isatty() else None
