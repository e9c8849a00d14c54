# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text for a terminal: made harmless, measured in columns, cut and laid out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from dockmgrd.cli.i18n.translation import _

_NOT_AT_THE_END = "（“‘《"
_NOT_AT_THE_START = "，。；：、？！）”’》…"


def harmless(text: str) -> str:
    """The text as one line that cannot steer a terminal, nor reverse what is read.

    Escape sequences, controls and the marks that reorder bidirectional text do not pass.
    """
    return "".join(map(_shown, text))


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: ideographs take two, combining marks none."""
    return sum(map(_cells_of, text))


def shortened(text: str, width: int) -> str:
    """The text in at most `width` columns, with an ellipsis where some of it is left out."""
    if cells(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += _cells_of(character)
        if used > width:
            break
        kept += character
    return kept + "…" if width > 0 else ""


def padded(text: str, width: int) -> str:
    """The text, filled with spaces to `width` columns."""
    return text + " " * (width - cells(text))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> list[str]:
    """The lines of a table with columns as wide as they need.

    :param width: columns of the terminal, to which lines are cut; None cuts nothing.
    """
    lines = [list(map(_, header)), *([harmless(field) for field in row] for row in rows)]
    widths = [max(map(cells, column)) for column in zip(*lines)]
    texts = ["  ".join(map(padded, line, widths)).rstrip() for line in lines]
    return texts if width is None else [shortened(text, width) for text in texts]


def uncut(header: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> list[str]:
    """The lines of a table of which nothing is left out.

    Where it is too wide for `width`, what follows the second column stands below that.
    """
    header, rows = list(map(_, header)), list(rows)
    lines = table(header, rows, None)
    if width is None or max(map(cells, lines)) <= width:
        return lines
    header, rows = compact(header, rows)
    lines = table(header, rows, None)
    if max(map(cells, lines)) <= width:
        return lines
    column = max(cells(row[0]) for row in (header, *rows))
    indent = " " * (column + 2)
    lines = []
    for first, second, *others in ([harmless(field) for field in row] for row in (header, *rows)):
        lines.append(f"{padded(first, column)}  {second}")
        below = "  ".join(filter(None, others))
        lines += [indent + line for line in wrapped(below, max(width - column - 2, 1)) if line]
    return lines


def compact(
    header: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a table without the columns that hold nothing."""
    kept = [index for index in range(len(header)) if any(row[index] for row in rows)]
    return [header[index] for index in kept], [[row[index] for index in kept] for row in rows]


def wrapped(text: str, width: int | None) -> list[str]:
    """The text in lines of at most `width` columns, broken at spaces and between ideographs.

    A longer word stays whole, and punctuation where it belongs.

    :param width: None keeps it one line.
    """
    if width is None:
        return [text]
    lines: list[str] = []
    for space, piece in _pieces(text):
        if lines and cells(lines[-1]) + cells(space) + cells(piece) <= width:
            lines[-1] += space + piece
        else:
            lines.append(piece)
    return lines


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What must not be broken, each with what is before it in the same line."""
    for number, word in enumerate(text.split(" ")):
        space, piece = " " if number else "", ""
        for character in word:
            if piece and _may_break(piece[-1], character):
                yield space, piece
                space, piece = "", ""
            piece += character
        yield space, piece


def _may_break(before: str, behind: str) -> bool:
    if before in _NOT_AT_THE_END or behind in _NOT_AT_THE_START:
        return False
    return "W" in (unicodedata.east_asian_width(before), unicodedata.east_asian_width(behind))


def size(count: int) -> str:
    """A number of bytes as people say it, in powers of 1000 like dnf and docker."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if amount >= 99.5 or unit == "B" else f"{amount:.1f} {unit}"


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    return "\N{REPLACEMENT CHARACTER}"


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
