# SPDX-License-Identifier: LGPL-2.1-or-later
"""YAML files read as mappings, lists and texts that know their line.

Every scalar is the text that stands in the file: a region `no` is no boolean, a version `10` no
number. The keys of a mapping differ, and are texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class Malformed(Exception):
    """A file that is not what it should be. The text names the file and the line."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")


@dataclass(frozen=True)
class Entry:
    """A value in a file: its text, its members or its items, and where it stands."""

    path: Path
    line: int
    value: str | Mapping[str, Entry] | tuple[Entry, ...]

    def text(self) -> str:
        """:raises Malformed: when this is a mapping or a list."""
        if isinstance(self.value, tuple):
            raise self.malformed("a list has no meaning here")
        if not isinstance(self.value, str):
            raise self.malformed("a text is expected here, not a mapping")
        return self.value

    def members(self) -> Mapping[str, Entry]:
        """:raises Malformed: when this is a text or a list. Nothing at all has no members."""
        if self.value == "":
            return {}
        if isinstance(self.value, tuple):
            raise self.malformed("a list has no meaning here")
        if isinstance(self.value, str):
            raise self.malformed("a mapping is expected here, not a text")
        return self.value

    def items(self) -> tuple[Entry, ...]:
        """:raises Malformed: when this is no list. A text is a list of one."""
        if isinstance(self.value, tuple):
            return self.value
        if isinstance(self.value, str):
            return (self,)
        raise self.malformed("a list is expected here, not a mapping")

    def malformed(self, reason: str) -> Malformed:
        return Malformed(self.path, self.line, reason)


def read(path: Path) -> Entry:
    """The content of the file; an empty file counts as a mapping without members.

    :raises Malformed: when it is no YAML.
    :raises OSError: when it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(path, 1, "it is not UTF-8") from error
    # Imported when needed: most hosts have no such file, and a job would wait for it.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Malformed(path, mark.line + 1 if mark else 1, error.problem or "no YAML") from error
    except yaml.YAMLError as error:
        raise Malformed(path, 1, "it is no YAML") from error
    try:
        return Entry(path, 1, {}) if node is None else _entry(path, node)
    except RecursionError as error:  # an alias can stand inside of what it stands for
        raise Malformed(path, 1, "it is nested without end") from error


def _entry(path: Path, node: Any) -> Entry:
    line = node.start_mark.line + 1
    if node.id == "scalar":
        return Entry(path, line, node.value)
    if node.id == "sequence":
        return Entry(path, line, tuple(_entry(path, each) for each in node.value))
    members: dict[str, Entry] = {}
    for key, value in node.value:
        if key.id != "scalar":
            raise Malformed(path, key.start_mark.line + 1, "a key must be a text")
        if key.value in members:
            raise Malformed(path, key.start_mark.line + 1, f"'{key.value}' stands here twice")
        members[key.value] = _entry(path, value)
    return Entry(path, line, members)
