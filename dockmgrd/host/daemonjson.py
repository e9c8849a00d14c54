# SPDX-License-Identifier: LGPL-2.1-or-later
"""daemon.json with one member changed and every other byte as it was.

The text is not generated from its parsed form. The member is found in it and only that is
replaced, so that order, indentation, line ends and number formats survive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

from dockmgrd.errors import ConfigInvalid
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Text

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\r\n]*")
_DEFAULT_INDENT = "  "
_MAX_DIGITS = 300
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
        """The registries that the engine may use without checking certificates."""
        hosts = self.values.get("insecure-registries")
        return tuple(map(str, hosts)) if isinstance(hosts, list) else ()


def parse(data: bytes, name: str) -> Document:
    """Read the content of a daemon.json; an empty one counts as `{}`, as dockerd takes it.

    :param name: what the file is called in messages.
    :raises ConfigInvalid: when it is not a JSON object whose keys are unique, saying where.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _make_error(name, messages.NOT_UTF8(line=line)) from error
    bare = text[len(_BOM) :] if text.startswith(_BOM) else text
    if not bare.strip(" \t\r\n"):
        return Document(text, {}, ())
    offset = len(text) - len(bare)
    try:
        values = _make_decoder().decode(bare)
        if _SURROGATE_ESCAPE.search(bare):
            values = _replace_surrogates(values)
        members = _find_members(text, offset)
    except JSONDecodeError as error:
        reason = messages.JSON_ERROR(line=error.lineno, column=error.colno, reason=error.msg)
        raise _make_error(name, reason) from error
    except RecursionError as error:
        raise _make_error(name, messages.NESTED_TOO_DEEPLY()) from error
    except _Rejected as error:
        raise _make_error(name, error.reason) from error
    if not isinstance(values, dict):
        raise _make_error(name, messages.NOT_AN_OBJECT())
    _check_mirrors(values, name)
    return Document(text, values, members)


def _replace_surrogates(value: Any) -> Any:
    """The value without halves of characters, which no encoding has; Go replaces them so."""
    if isinstance(value, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_replace_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_replace_surrogates(key): _replace_surrogates(each) for key, each in value.items()}
    return value


def replace_mirrors(document: Document, mirrors: Sequence[str]) -> bytes:
    """The file's bytes with these registry mirrors; the same bytes when they are there already."""
    if MIRRORS_KEY in document.values and list(document.mirrors) == list(mirrors):
        return document.text.encode("utf-8")
    for member in document.members:
        if member.key == MIRRORS_KEY:
            value = _dump_mirrors(mirrors, document, member)
            text = document.text
            return (text[: member.value_start] + value + text[member.value_end :]).encode("utf-8")
    return _insert_member(document, mirrors).encode("utf-8")


def remove_mirrors(document: Document) -> bytes:
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


def _insert_member(document: Document, mirrors: Sequence[str]) -> str:
    """The text with the member added at the end of the object."""
    text = document.text
    key = json.dumps(MIRRORS_KEY) + ": "
    if not document.members:
        newline = "\r\n" if "\r\n" in text else "\n"
        value = _format_list(mirrors, newline + _DEFAULT_INDENT, _DEFAULT_INDENT)
        body = f"{{{newline}{_DEFAULT_INDENT}{key}{value}{newline}}}"
        if "{" not in text:
            return (_BOM if text.startswith(_BOM) else "") + body + newline
        return text[: text.index("{")] + body + text[text.index("}") + 1 :]
    last = document.members[-1]
    lead = _find_lead(document, last)
    value = _dump_mirrors(mirrors, document, last)
    return f"{text[: last.value_end]},{lead or ' '}{key}{value}{text[last.value_end :]}"


def _find_lead(document: Document, member: _Member) -> str:
    """The line break and indentation before the member; empty when it shares a line."""
    before = document.text[: member.start]
    space = before[len(before.rstrip(" \t\r\n")) :]
    return space if "\n" in space else ""


def _dump_mirrors(mirrors: Sequence[str], document: Document, near: _Member) -> str:
    lead = _find_lead(document, near)
    indent = lead.rpartition("\n")[2]
    return _format_list(mirrors, lead, indent)


def _format_list(mirrors: Sequence[str], lead: str, indent: str) -> str:
    """The list as JSON: an item a line where members stand on lines of their own."""
    if not lead or not mirrors:
        return json.dumps(list(mirrors))
    items = f",{lead}{indent}".join(json.dumps(mirror) for mirror in mirrors)
    return f"[{lead}{indent}{items}{lead}]"


class _Rejected(ValueError):
    """Valid for Python's reader, but not for dockerd or for us."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _make_decoder() -> JSONDecoder:
    return JSONDecoder(
        object_pairs_hook=_require_unique_keys,
        parse_constant=_reject_constant,
        parse_int=_parse_number,
    )


def _require_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise _Rejected(messages.KEY_TWICE(key=json.dumps(doubled)))
    return values


def _parse_number(digits: str) -> float:
    """A number without fraction; Python refuses to read very long ones as such."""
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)


def _reject_constant(name: str) -> NoReturn:
    raise _Rejected(messages.NOT_A_CONSTANT(word=name))


def _find_members(text: str, offset: int) -> tuple[_Member, ...]:
    """The members of the top object of a text that is known to be valid JSON."""
    decoder = _make_decoder()
    position = _skip_space(text, offset)
    members: list[_Member] = []
    if text[position] != "{":
        return ()
    position = _skip_space(text, position + 1)
    while text[position] != "}":
        start = position
        key, position = decoder.raw_decode(text, position)
        value_start = _skip_space(text, _skip_space(text, position) + 1)
        _, value_end = decoder.raw_decode(text, value_start)
        members.append(_Member(key, start, value_start, value_end))
        position = _skip_space(text, value_end)
        if text[position] == ",":
            position = _skip_space(text, position + 1)
    return tuple(members)


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _check_mirrors(values: dict[str, Any], name: str) -> None:
    mirrors = values.get(MIRRORS_KEY)
    if mirrors is not None and not (
        isinstance(mirrors, list) and all(isinstance(mirror, str) for mirror in mirrors)
    ):
        raise _make_error(name, messages.MIRRORS_NOT_STRINGS())


def _make_error(name: str, reason: Text) -> ConfigInvalid:
    text = messages.CONFIG_INVALID(file=name, reason=reason)
    return ConfigInvalid(text.with_remedy(messages.FIX_CONFIG()))
