# SPDX-License-Identifier: LGPL-2.1-or-later
"""Read Markdown documents: their code blocks, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

COMMANDS = ("sh", "console")
"""Languages of blocks for a shell: root's, to be pasted as it is, and one with prompts and output.
"""
PROGRAMS = ("python", "js")
NOT_FOR_RUNNING = ("text", "yaml", "json")

LEFT_OUT = "…"

_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
_PROMPTS = {"# ": "root", "$ ": "alice"}


@dataclass(frozen=True)
class Script:
    """Lines that a user gives a shell."""

    user: str
    text: str


@dataclass(frozen=True)
class Block:
    """A fenced block of a document. `reason` says why it is not run; "" when it is."""

    document: str
    language: str
    text: str
    reason: str

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]

    def scripts(self) -> Iterator[Script]:
        """What is given to a shell, by whom, in order."""
        if self.language == "sh":
            yield Script("root", self.text)
            return
        for line in self.text.splitlines():
            if line[:2] in _PROMPTS:
                yield Script(_PROMPTS[line[:2]], line[2:])

    def shown(self) -> list[str]:
        """The lines that the commands print, as far as the block has them."""
        if self.language != "console":
            return []
        lines = self.text.splitlines()
        return [line for line in lines if line[:2] not in _PROMPTS and line != LEFT_OUT]


def blocks(document: str) -> list[Block]:
    """The blocks of a document of the checkout, in order."""
    text = (ROOT / document).read_text()
    return [
        Block(document, found["language"], found["text"], found["reason"] or "")
        for found in _BLOCK.finditer(text)
    ]
