# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard output and standard error: their width, colors and symbols, and JSON on them.

What a color or a symbol says is always said by a word, too. Blue and yellow can be distinguished by
nearly everybody, red and green cannot.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, TextIO

from dockmgrd.cli.i18n.translation import Message, word_message
from dockmgrd.cli.loading import load
from dockmgrd.cli.view.text import harmless, shorten

_DUMP_JSON = "json:dumps"
"""Most output needs no JSON."""


def prepare_streams() -> None:
    """Make all three streams usable: one may be closed, or its encoding lack characters."""
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def discard_rest() -> None:
    """Let nothing more reach standard output, so that Python does not complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(data: Any, form: str = "auto") -> None:
    """Print the one document of --json, in ASCII: no text in it can control a terminal.

    :param form: "short" is one line, "pretty" is many, anything else what fits the stream.
    """
    pretty = form == "pretty" or (form != "short" and sys.stdout.isatty())
    print(load(_DUMP_JSON)(data, indent=2 if pretty else None))


def report(message: Message) -> None:
    """Print a message of dockmgrctl on standard error, and the command that helps below it."""
    wording = word_message(message)
    sentence, command = harmless(str(wording)), harmless(wording.command)
    write(sys.stderr, f"{_PROGRAM}: {sentence}\n")
    if command and command not in sentence:
        write(sys.stderr, f"  {command}\n")


def write(stream: TextIO, text: str) -> None:
    """Write at once, and ignore that the reader is gone."""
    with suppress(OSError):
        stream.write(text)
        stream.flush()


def can_redraw(stream: TextIO) -> bool:
    """Return whether lines on the stream can be drawn again in their place."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def can_write(stream: TextIO, text: str) -> bool:
    """Return whether the encoding of the stream has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def get_rows(stream: TextIO) -> int:
    """Return the present height of the terminal; 24 if it is unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).lines or 24
    except OSError:
        return 24


def get_columns(stream: TextIO) -> int:
    """Return the present width of the terminal; 80 if it is unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def get_answer_width() -> int | None:
    """Return the columns for an answer; None if no terminal limits it."""
    return get_columns(sys.stdout) if sys.stdout.isatty() else None


class Mark(Enum):
    """A symbol for a state, as systemctl has it, and one for terminals with only ASCII."""

    ON = ("●", "*")
    OFF = ("○", "o")
    BAD = ("×", "x")


@dataclass(frozen=True)
class Paint:
    """What a stream can show. The default is that of a file in UTF-8."""

    colored: bool = False
    symbols: bool = True

    def format_good(self, text: str) -> str:
        return self._color("1;34", text)

    def format_bad(self, text: str) -> str:
        return self._color("1;33", text)

    def format_strong(self, text: str) -> str:
        return self._color("1", text)

    def format_mark(self, mark: Mark) -> str:
        symbol = mark.value[0 if self.symbols else 1]
        if mark is Mark.OFF:
            return symbol
        return self.format_good(symbol) if mark is Mark.ON else self.format_bad(symbol)

    def _color(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colored and text else text


PLAIN = Paint()


def choose_paint(stream: TextIO) -> Paint:
    """Return what the stream can show: colors only on a terminal, unless NO_COLOR is set."""
    colored = can_redraw(stream) and not os.environ.get("NO_COLOR")
    return Paint(colored, can_write(stream, "".join(mark.value[0] for mark in Mark)))


_PROGRAM = "dockmgrctl"
_ERASE = "\x1b[J"


class Screen:
    """The lines of one stream, which is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0

    def clear(self) -> None:
        """Remove the lines, so that the answer takes their place."""
        if self._drawn:
            write(self._stream, f"\x1b[{self._drawn}A\r{_ERASE}")
            self._drawn = 0

    def draw(self, texts: Sequence[str]) -> None:
        """Draw as many of the lines as fit, and always the last one, which shows the progress."""
        height, width = get_rows(self._stream) - 1, get_columns(self._stream) - 1
        shown = [*texts[: max(height - 1, 1)], texts[-1]] if len(texts) > height else texts
        back = f"\x1b[{self._drawn}A\r" if self._drawn else "\r"
        drawing = "".join(f"{shorten(text, width)}\x1b[K\n" for text in shown)
        write(self._stream, back + drawing + _ERASE)
        self._drawn = len(shown)
