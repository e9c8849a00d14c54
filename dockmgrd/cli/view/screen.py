# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lines at the end of a terminal that are drawn anew in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from dockmgrd.cli.view.output import columns, rows, write
from dockmgrd.cli.view.text import shortened

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
