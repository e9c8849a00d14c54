# SPDX-License-Identifier: LGPL-2.1-or-later
"""daemon.json with one member changed and every other byte as it was.

The text is not written again from its parsed form: the place of the member in it is found, and
only that is replaced, so that order, indentation, line ends and odd number formats survive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

from dockmgrd.errors import ConfigInvalid

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_SPACE = re.compile(r"[ \t\r\n]*")
_DEFAULT_INDENT = "  "
_MANY_DIGITS = 300
MIRRORS_KEY = "registry-mirrors"


@dataclass(frozen=True)
class _Member:
    """A member of the top object, by positions in the text."""

    key: str
    start: int
    value_start: int
    value_end: int


@dataclass(frozen=True)
class Document:
    """The text of a valid daemon.json, what it says, and where its members are."""

    text: str
    values: dict[str, Any]
    members: tuple[_Member, ...]

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The registry mirrors that the file names."""
        return tuple(self.values.get(MIRRORS_KEY) or ())

    @property
    def insecure(self) -> tuple[str, ...]:
        """The registries that the file lets the engine use without checking certificates."""
        hosts = self.values.get("insecure-registries")
        return tuple(map(str, hosts)) if isinstance(hosts, list) else ()


def parse(data: bytes, name: str) -> Document:
    """Read the content of a daemon.json; an empty one counts as `{}`, as dockerd takes it.

    :param name: what the file is called in messages.
    :raises ConfigInvalid: when it is not an object of JSON with each key once, saying where.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _invalid(name, f"line {line} is not UTF-8") from error
    bare = text[len(_BOM) :] if text.startswith(_BOM) else text
    if not bare.strip(" \t\r\n"):
        return Document(text, {}, ())
    offset = len(text) - len(bare)
    try:
        values = _decoder().decode(bare)
        members = _members(text, offset)
    except JSONDecodeError as error:
        raise _invalid(name, f"line {error.lineno} column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise _invalid(name, "it is nested too deeply") from error
    except _Rejected as error:
        raise _invalid(name, str(error)) from error
    if not isinstance(values, dict):
        raise _invalid(name, "it is not an object in braces")
    _check_mirrors(values, name)
    return Document(text, values, members)


def with_mirrors(document: Document, mirrors: Sequence[str]) -> bytes:
    """The file's bytes with these registry mirrors; the same bytes when they are there already."""
    if MIRRORS_KEY in document.values and list(document.mirrors) == list(mirrors):
        return document.text.encode("utf-8")
    for member in document.members:
        if member.key == MIRRORS_KEY:
            value = _dump(mirrors, document, member)
            text = document.text
            return (text[: member.value_start] + value + text[member.value_end :]).encode("utf-8")
    return _insert(document, mirrors).encode("utf-8")


def without_mirrors(document: Document) -> bytes:
    """The file's bytes without the member that names registry mirrors."""
    text = document.text
    for position, member in enumerate(document.members):
        if member.key != MIRRORS_KEY:
            continue
        if position + 1 < len(document.members):
            end = document.members[position + 1].start
            return (text[: member.start] + text[end:]).encode("utf-8")
        start = document.members[position - 1].value_end if position else member.start
        return (text[:start] + text[member.value_end :]).encode("utf-8")
    return text.encode("utf-8")


def _insert(document: Document, mirrors: Sequence[str]) -> str:
    """The text with the member added at the end of the object."""
    text = document.text
    key = json.dumps(MIRRORS_KEY) + ": "
    if not document.members:
        newline = "\r\n" if "\r\n" in text else "\n"
        value = _layout(mirrors, newline + _DEFAULT_INDENT, _DEFAULT_INDENT)
        body = f"{{{newline}{_DEFAULT_INDENT}{key}{value}{newline}}}"
        if "{" not in text:
            return (_BOM if text.startswith(_BOM) else "") + body + newline
        return text[: text.index("{")] + body + text[text.index("}") + 1 :]
    last = document.members[-1]
    lead = _lead(document, last)
    value = _dump(mirrors, document, last)
    return f"{text[: last.value_end]},{lead or ' '}{key}{value}{text[last.value_end :]}"


def _lead(document: Document, member: _Member) -> str:
    """The line break and indentation before the member; empty when it shares a line."""
    before = document.text[: member.start]
    space = before[len(before.rstrip(" \t\r\n")) :]
    return space if "\n" in space else ""


def _dump(mirrors: Sequence[str], document: Document, near: _Member) -> str:
    lead = _lead(document, near)
    indent = lead.rpartition("\n")[2]
    return _layout(mirrors, lead, indent)


def _layout(mirrors: Sequence[str], lead: str, indent: str) -> str:
    """The list as JSON: an item a line where members stand on lines of their own."""
    if not lead or not mirrors:
        return json.dumps(list(mirrors))
    items = f",{lead}{indent}".join(json.dumps(mirror) for mirror in mirrors)
    return f"[{lead}{indent}{items}{lead}]"


class _Rejected(ValueError):
    """Valid for Python's reader, but not for dockerd or for us."""


def _decoder() -> JSONDecoder:
    return JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise _Rejected(f"the key {json.dumps(doubled)} stands in it twice")
    return values


def _number(digits: str) -> float:
    """A number without fraction; Python refuses to read very long ones as such."""
    return int(digits) if len(digits) < _MANY_DIGITS else float(digits)


def _no_constant(name: str) -> NoReturn:
    raise _Rejected(f"{name} is not JSON")


def _members(text: str, offset: int) -> tuple[_Member, ...]:
    """The members of the top object of a text that is known to be valid JSON."""
    decoder = _decoder()
    position = _skip(text, offset)
    members: list[_Member] = []
    if text[position] != "{":
        return ()
    position = _skip(text, position + 1)
    while text[position] != "}":
        start = position
        key, position = decoder.raw_decode(text, position)
        value_start = _skip(text, _skip(text, position) + 1)
        _, value_end = decoder.raw_decode(text, value_start)
        members.append(_Member(key, start, value_start, value_end))
        position = _skip(text, value_end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return tuple(members)


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _check_mirrors(values: dict[str, Any], name: str) -> None:
    mirrors = values.get(MIRRORS_KEY)
    if mirrors is not None and not (
        isinstance(mirrors, list) and all(isinstance(mirror, str) for mirror in mirrors)
    ):
        raise _invalid(name, f'"{MIRRORS_KEY}" is not a list of strings')


def _invalid(name: str, reason: str) -> ConfigInvalid:
    return ConfigInvalid(f"{name} cannot be changed safely: {reason}; mend the file and try again.")
