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

from dockmgrd.cli.i18n.translation import told
from dockmgrd.cli.view.text import harmless, shortened


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
    import json  # most commands need none, and it is slow to load

    pretty = form == "pretty" or (form != "short" and sys.stdout.isatty())
    print(json.dumps(data, indent=2 if pretty else None))


def say(sentence: str) -> None:
    """Tell the user on standard error who speaks, and what there is to say."""
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


class Mark(Enum):
    """How something is at a glance, as systemctl shows it, and where only ASCII can be written."""

    ON = ("●", "*")
    OFF = ("○", "o")
    BAD = ("×", "x")


@dataclass(frozen=True)
class Paint:
    """What a stream shows. By default, what a file in UTF-8 does."""

    coloured: bool = False
    symbols: bool = True

    def good(self, text: str) -> str:
        return self._in("1;34", text)

    def bad(self, text: str) -> str:
        return self._in("1;33", text)

    def strong(self, text: str) -> str:
        return self._in("1", text)

    def mark(self, mark: Mark) -> str:
        symbol = mark.value[0 if self.symbols else 1]
        if mark is Mark.OFF:
            return symbol
        return self.good(symbol) if mark is Mark.ON else self.bad(symbol)

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured and text else text


PLAIN = Paint()


def paint_on(stream: TextIO) -> Paint:
    """What the stream shows: no colours but on a terminal, nor where NO_COLOR is set."""
    coloured = draws(stream) and not os.environ.get("NO_COLOR")
    return Paint(coloured, can_write(stream, "".join(mark.value[0] for mark in Mark)))


_ERASE = "\x1b[J"


class Screen:
    """The lines of one stream, which is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0

    def clear(self) -> None:
        """Take the lines away: the answer takes their place."""
        if self._drawn:
            write(self._stream, f"\x1b[{self._drawn}A\r{_ERASE}")
            self._drawn = 0

    def draw(self, texts: Sequence[str]) -> None:
        """Draw as many of the lines as fit; the last one, which says how far it is, always."""
        height, width = rows(self._stream) - 1, columns(self._stream) - 1
        shown = [*texts[: max(height - 1, 1)], texts[-1]] if len(texts) > height else texts
        back = f"\x1b[{self._drawn}A\r" if self._drawn else "\r"
        drawing = "".join(f"{shortened(text, width)}\x1b[K\n" for text in shown)
        write(self._stream, back + drawing + _ERASE)
        self._drawn = len(shown)
