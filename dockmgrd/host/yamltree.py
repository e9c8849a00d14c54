# SPDX-License-Identifier: LGPL-2.1-or-later
"""YAML files as mappings, lists and texts that know their line.

Every scalar is the text in the file: a region `no` is not a boolean, a version `10` is not a
number. The keys of a mapping are texts and differ.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd.host import regular_files
from dockmgrd.messages import sources as messages
from dockmgrd.messages.text import Text, foreign_text


class Malformed(Exception):
    """A file that does not have the expected form."""

    def __init__(self, path: Path, line: int, reason: Text) -> None:
        self.text = messages.FILE_LINE(file=str(path), line=line, reason=reason)
        super().__init__(str(self.text))
        self.path = path
        self.line = line
        self.reason = reason

    @property
    def problem(self) -> Text:
        """The problem of a host whose file is ignored for this."""
        text = messages.FILE_IGNORED(file=str(self.path), line=self.line, reason=self.reason)
        return text.with_remedy(messages.CORRECT_FILE())


def list_files(folder: Path) -> list[Path]:
    """The folder's `*.yaml` by name; none where it cannot be read.

    Status does this at each call, and Path.glob would take a fifth of its time.
    """
    try:
        found = os.listdir(folder)
    except OSError:
        return []
    return [folder / name for name in sorted(found) if name.endswith(".yaml")]


@dataclass(frozen=True)
class Entry:
    """A value in a file: its text, its members or its items, and where it stands."""

    path: Path
    line: int
    value: str | Mapping[str, Entry] | tuple[Entry, ...]

    def text(self) -> str:
        """:raises Malformed: when this is a mapping or a list."""
        if isinstance(self.value, tuple):
            raise self.make_error(messages.LIST_UNEXPECTED())
        if not isinstance(self.value, str):
            raise self.make_error(messages.TEXT_EXPECTED())
        return self.value

    def members(self) -> Mapping[str, Entry]:
        """:raises Malformed: when this is a text or a list. Nothing at all has no members."""
        if self.value == "":
            return {}
        if isinstance(self.value, tuple):
            raise self.make_error(messages.LIST_UNEXPECTED())
        if isinstance(self.value, str):
            raise self.make_error(messages.MAPPING_EXPECTED())
        return self.value

    def items(self) -> tuple[Entry, ...]:
        """:raises Malformed: when this is a mapping. A text is a list of one."""
        if isinstance(self.value, tuple):
            return self.value
        if isinstance(self.value, str):
            return (self,)
        raise self.make_error(messages.LIST_EXPECTED())

    def make_error(self, reason: Text | str) -> Malformed:
        """The error about this value."""
        text = foreign_text(reason) if isinstance(reason, str) else reason
        return Malformed(self.path, self.line, text)


def read(path: Path) -> Entry:
    """The content of the file; an empty file counts as a mapping without members.

    :raises Malformed: when it is not valid YAML.
    :raises OSError: when it cannot be read.
    """
    try:
        text = regular_files.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(path, 1, messages.YAML_NOT_UTF8()) from error
    # Imported here because most hosts have no such file, and loading it takes 15 ms.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = messages.YAML_INVALID(reason=error.problem or type(error).__name__)
        raise Malformed(path, mark.line + 1 if mark else 1, reason) from error
    except yaml.YAMLError as error:
        reason = messages.YAML_INVALID(reason=type(error).__name__)
        raise Malformed(path, 1, reason) from error
    try:
        return Entry(path, 1, {}) if node is None else _make_entry(path, node)
    except RecursionError as error:  # an alias can stand inside of what it stands for
        raise Malformed(path, 1, messages.YAML_ENDLESS()) from error


def check_date(entry: Entry, field: str) -> None:
    """:raises Malformed: when the value is neither a day, as year, month and day, nor empty."""
    text = entry.text()
    try:
        valid = not text or time.strftime("%Y-%m-%d", time.strptime(text, "%Y-%m-%d")) == text
    except ValueError:
        valid = False
    if not valid:
        raise entry.make_error(messages.DATE_NOT_VALID(field=field, example="2026-11-26"))


def _make_entry(path: Path, node: Any) -> Entry:
    line = node.start_mark.line + 1
    if node.id == "scalar":
        return Entry(path, line, node.value)
    if node.id == "sequence":
        return Entry(path, line, tuple(_make_entry(path, each) for each in node.value))
    members: dict[str, Entry] = {}
    for key, value in node.value:
        if key.id != "scalar":
            raise Malformed(path, key.start_mark.line + 1, messages.KEY_NOT_TEXT())
        if key.value in members:
            reason = messages.KEY_OCCURS_TWICE(key=key.value)
            raise Malformed(path, key.start_mark.line + 1, reason)
        members[key.value] = _make_entry(path, value)
    return Entry(path, line, members)
