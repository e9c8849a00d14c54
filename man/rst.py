# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of a page in reStructuredText."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

_MARKUP = re.compile(r"([\\*`|]|_\b)")
_INDENT = "    "
_PROGRAMS = ("dockmgrctl", "dockmgrd", "rpm", "ssh")


def escape(text: str) -> str:
    """Return the text so that it is shown verbatim."""
    return _MARKUP.sub(r"\\\1", text)


def bold(text: str) -> str:
    return rf"\ **{escape(text)}**\ "


def italic(text: str) -> str:
    return rf"\ *{escape(text)}*\ "


def sentence(text: str) -> str:
    """Return what stands beside a term in --help as a sentence of its own."""
    first = text.partition(" ")[0]
    if first.isalpha() and first not in _PROGRAMS:
        text = text[0].upper() + text[1:]
    return escape(text if text.endswith(".") else f"{text}.")


def heading(title: str, underline: str) -> str:
    """Return a heading; the level is that of the underline's character."""
    return f"{title}\n{underline * len(title)}"


def definition(term: str, *blocks: str) -> str:
    """Return a term in markup with the blocks that describe it."""
    return f"{term}\n{indent(join(blocks))}"


def indent(text: str) -> str:
    return textwrap.indent(text, _INDENT)


def join(blocks: Iterable[str]) -> str:
    """Return the blocks with an empty line between them."""
    return "\n\n".join(blocks)
