# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text for a terminal: made harmless, measured in columns, cut and laid out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


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
    lines = [list(header), *([harmless(field) for field in row] for row in rows)]
    widths = [max(map(cells, column)) for column in zip(*lines)]
    texts = ["  ".join(map(padded, line, widths)).rstrip() for line in lines]
    return texts if width is None else [shortened(text, width) for text in texts]


def wrapped(text: str, width: int | None) -> list[str]:
    """The text in lines of at most `width` columns, broken at spaces; a longer word stays whole.

    :param width: None keeps it one line.
    """
    if width is None:
        return [text]
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


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
