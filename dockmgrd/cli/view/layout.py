# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labelled lines: `  Label: value`, later values and lines aligned with the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.view.terminal import PLAIN, Mark, Paint
from dockmgrd.cli.view.text import cells, harmless, wrapped

_LABEL_CELLS = 11


@dataclass(frozen=True)
class Marked:
    """A value behind a symbol that says how it is."""

    mark: Mark
    text: str


def field(
    label: str,
    values: Sequence[str | Marked],
    width: int | None,
    paint: Paint = PLAIN,
    emphasis: Callable[[str], str] = str,
) -> list[str]:
    """The lines of a label and its values, in the user's language; none when there is no value.

    :param width: columns to break lines at; None breaks none.
    :param emphasis: how the values are painted, symbols excepted.
    """
    lines: list[str] = []
    for value in values:
        symbol, text = ("", value) if isinstance(value, str) else (value.mark, value.text)
        if not text:
            continue
        title = "" if lines else f"{_(label)}:"
        lead = " " * (_LABEL_CELLS - cells(title)) + f"{title} "
        indent = " " * (cells(lead) + (2 if isinstance(symbol, Mark) else 0))
        if isinstance(symbol, Mark):
            lead += f"{paint.mark(symbol)} "
        room = None if width is None else max(width - len(indent), 1)
        first, *others = wrapped(harmless(told(text)), room)
        lines += [lead + emphasis(first), *(indent + emphasis(line) for line in others)]
    return lines
