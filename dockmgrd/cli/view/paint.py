# SPDX-License-Identifier: LGPL-2.1-or-later
"""Colours and symbols. What they say is always said by a word, too.

Blue and yellow are told apart by nearly everybody, red and green are not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from typing import TextIO

from dockmgrd.cli.view.output import can_write, draws


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
