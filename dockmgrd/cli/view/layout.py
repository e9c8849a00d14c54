# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labeled lines: `  Label: value`, later values and lines aligned with the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dockmgrd.cli.i18n.translation import _
from dockmgrd.cli.view.terminal import PLAIN, Mark, Paint
from dockmgrd.cli.view.text import cells, harmless, wrap

_LABEL_CELLS = 11


@dataclass(frozen=True)
class Marked:
    """A value with a symbol that shows its state."""

    mark: Mark
    text: str


def add_colon(label: str) -> str:
    """Return the label with a colon of the user's language."""
    return _("{label}:").format(label=label)


def format_field(
    label: str,
    values: Sequence[str | Marked],
    width: int | None,
    paint: Paint = PLAIN,
    emphasis: Callable[[str], str] = str,
) -> list[str]:
    """Return the lines of a label and its values; none if there is no value.

    :param label: in the user's language, as the values.
    :param width: columns to break lines at; None breaks none.
    :param emphasis: how the values are painted, without their symbols.
    """
    lines: list[str] = []
    for value in values:
        symbol, text = ("", value) if isinstance(value, str) else (value.mark, value.text)
        if not text:
            continue
        title = "" if lines else add_colon(label)
        lead = " " * (_LABEL_CELLS - cells(title)) + f"{title} "
        indent = " " * (cells(lead) + (2 if isinstance(symbol, Mark) else 0))
        if isinstance(symbol, Mark):
            lead += f"{paint.format_mark(symbol)} "
        room = None if width is None else max(width - len(indent), 1)
        first, *others = wrap(harmless(text), room)
        lines += [lead + emphasis(first), *(indent + emphasis(line) for line in others)]
    return lines
