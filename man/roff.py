# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text as man(7) takes it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

_ESCAPES = str.maketrans(
    {
        "\\": r"\e",
        "-": r"\-",
        "'": r"\(aq",
        '"': r"\(dq",
        "`": r"\(ga",
        "^": r"\(ha",
        "~": r"\(ti",
        "…": r"\[u2026]",
        "→": r"\(->",
    }
)

_PROGRAMS = ("dockmgrctl", "dockmgrd", "rpm", "ssh")


def text(words: str) -> str:
    """The text in lines of a source file, with nothing in it that would be a request.

    :raises UnicodeEncodeError: for a character that not every reader of pages knows.
    """
    lines = textwrap.wrap(
        words.translate(_ESCAPES), 96, break_long_words=False, break_on_hyphens=False
    )
    joined = "\n".join(rf"\&{line}" if line.startswith(".") else line for line in lines)
    joined.encode("ascii")
    return joined


def bold(word: str) -> str:
    return rf"\fB{text(word)}\fR"


def italic(word: str) -> str:
    return rf"\fI{text(word)}\fR"


def sentence(words: str) -> str:
    """What stands beside a term in --help, as a sentence of its own."""
    first = words.partition(" ")[0]
    if first.isalpha() and first not in _PROGRAMS:
        words = words[0].upper() + words[1:]
    return text(words if words.endswith(".") else f"{words}.")


def entry(term: str, *paragraphs: str) -> list[str]:
    """A term that is marked up already, and what there is to say of it."""
    lines = [".TP", term]
    for index, paragraph in enumerate(paragraphs):
        lines += [".IP", paragraph] if index else [paragraph]
    return lines


def indented(lines: Iterable[str]) -> list[str]:
    return [".RS", *lines, ".RE"]
