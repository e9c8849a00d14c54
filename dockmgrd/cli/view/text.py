# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text for a terminal: made harmless, measured in columns, cut and laid out in tables."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_NEVER_LAST = "（“‘《"
_NEVER_FIRST = "，。；：、？！）”’》…"


def harmless(text: str) -> str:
    """Return the text as one line that cannot control a terminal, nor reverse what is read.

    Escape sequences, controls and the marks that reorder bidirectional text do not pass.
    """
    return "".join(map(_make_harmless, text))


def cells(text: str) -> int:
    """Return the columns that the text takes: ideographs take two, combining marks none."""
    return sum(map(_cells_of, text))


def shorten(text: str, width: int) -> str:
    """Return the text in at most `width` columns, with an ellipsis where some of it is cut."""
    if cells(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += _cells_of(character)
        if used > width:
            break
        kept += character
    return kept + "…" if width > 0 else ""


def pad(text: str, width: int) -> str:
    """Return the text, filled with spaces to `width` columns."""
    return text + " " * (width - cells(text))


def format_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], width: int | None
) -> list[str]:
    """Return the lines of a table with columns as wide as they need.

    :param width: columns of the terminal, to which lines are cut; None cuts nothing.
    """
    lines = [list(header), *([harmless(field) for field in row] for row in rows)]
    widths = [max(map(cells, column)) for column in zip(*lines)]
    texts = ["  ".join(map(pad, line, widths)).rstrip() for line in lines]
    return texts if width is None else [shorten(text, width) for text in texts]


def format_whole_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], width: int | None
) -> list[str]:
    """Return the lines of a table without cutting any.

    If it is too wide for `width`, the columns after the second one go below that one.
    """
    header, rows = list(header), list(rows)
    lines = format_table(header, rows, None)
    if width is None or max(map(cells, lines)) <= width:
        return lines
    header, rows = drop_empty_columns(header, rows)
    lines = format_table(header, rows, None)
    if max(map(cells, lines)) <= width:
        return lines
    column = max(cells(row[0]) for row in (header, *rows))
    indent = " " * (column + 2)
    lines = []
    for first, second, *others in ([harmless(field) for field in row] for row in (header, *rows)):
        lines.append(f"{pad(first, column)}  {second}")
        below = "  ".join(filter(None, others))
        lines += [indent + line for line in wrap(below, max(width - column - 2, 1)) if line]
    return lines


def drop_empty_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table without the columns that are empty."""
    kept = [index for index in range(len(header)) if any(row[index] for row in rows)]
    return [header[index] for index in kept], [[row[index] for index in kept] for row in rows]


def wrap(text: str, width: int | None) -> list[str]:
    """Return the text in lines of at most `width` columns, broken at spaces and between ideographs.

    A longer word stays whole, and punctuation where it belongs.

    :param width: None keeps it one line.
    """
    if width is None:
        return [text]
    lines: list[str] = []
    for space, piece in _split_pieces(text):
        if lines and cells(lines[-1]) + cells(space) + cells(piece) <= width:
            lines[-1] += space + piece
        else:
            lines.append(piece)
    return lines


def _split_pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces that must not be broken, each with the space before it."""
    for number, word in enumerate(text.split(" ")):
        space, piece = " " if number else "", ""
        for character in word:
            if piece and _may_break(piece[-1], character):
                yield space, piece
                space, piece = "", ""
            piece += character
        yield space, piece


def _may_break(before: str, behind: str) -> bool:
    if before in _NEVER_LAST or behind in _NEVER_FIRST:
        return False
    return "W" in (unicodedata.east_asian_width(before), unicodedata.east_asian_width(behind))


def format_size(count: int) -> str:
    """Return a number of bytes for people, in powers of 1000 as dnf and docker have it."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if amount >= 99.5 or unit == "B" else f"{amount:.1f} {unit}"


def _make_harmless(character: str) -> str:
    if character.isprintable():
        return character
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    return "\N{REPLACEMENT CHARACTER}"


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
