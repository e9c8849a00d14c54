# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a terminal shows of what a program writes to it, as far as dockmgrctl needs one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

_TOKEN = re.compile(r"\x1b\[(?P<numbers>[0-9;?]*)(?P<letter>[A-Za-z])|(?P<character>.)", re.S)
_BOLD, _COLOURS, _DEFAULT_COLOUR = 1, range(30, 38), 39


@dataclass(frozen=True)
class Style:
    bold: bool = False
    colour: int | None = None
    """0 to 7, as ANSI has them."""


@dataclass(frozen=True)
class Run:
    """Neighbouring cells of one style; `column` is the first, `cells` how many they are."""

    column: int
    cells: int
    text: str
    style: Style


_Cell = tuple[str, Style]


@dataclass
class Screen:
    """Lines without end, `columns` wide."""

    columns: int
    lines: list[list[_Cell]] = field(default_factory=lambda: [[]])
    _row: int = 0
    _column: int = 0
    _style: Style = Style()

    def write(self, text: str) -> None:
        for token in _TOKEN.finditer(text):
            if token["letter"]:
                self._control(token["letter"], token["numbers"])
            else:
                self._put(token["character"])

    def runs(self) -> Iterator[list[Run]]:
        """Each line as its runs, blanks at its end left out."""
        for line in self.lines:
            yield list(_runs(line))

    def _put(self, character: str) -> None:
        if character == "\n":
            self._down()
        elif character == "\r":
            self._column = 0
        elif character.isprintable():
            width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
            if self._column + width > self.columns:
                self._down()
                self._column = 0
            line = self.lines[self._row]
            line += [(" ", Style())] * (self._column + width - len(line))
            line[self._column] = (character, self._style)
            line[self._column + 1 : self._column + width] = [("", self._style)] * (width - 1)
            self._column += width

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append([])

    def _control(self, letter: str, numbers: str) -> None:
        if letter == "m":
            for number in numbers.split(";"):
                self._style = _styled(self._style, int(number or 0))
        elif letter == "A":
            self._row = max(self._row - int(numbers or 1), 0)
        elif letter == "B":
            self._row = min(self._row + int(numbers or 1), len(self.lines) - 1)
        elif letter in "JK":
            del self.lines[self._row][self._column :]
            if letter == "J":
                del self.lines[self._row + 1 :]


def _styled(style: Style, number: int) -> Style:
    if number == _BOLD:
        return replace(style, bold=True)
    if number in _COLOURS:
        return replace(style, colour=number - _COLOURS.start)
    if number == _DEFAULT_COLOUR:
        return replace(style, colour=None)
    return Style() if number == 0 else style


def _runs(line: list[_Cell]) -> Iterator[Run]:
    begin = 0
    for end in range(1, len(line) + 1):
        if end == len(line) or line[end][1] != line[begin][1]:
            text = "".join(character for character, _ in line[begin:end])
            if text.strip():
                yield Run(begin, end - begin, text, line[begin][1])
            begin = end
