# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records as JSON objects: what daemon, job and package worker write for each other.

A record is a frozen dataclass. The annotation of each field says how its value is read: a type in
`_READERS`, an enum or a record of the same module, `Text`, or `tuple[…, ...]` of one of these. The
annotations are read as text because not every Python that runs the worker can evaluate them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from dockmgrd.messages.text import Text, from_plain

Record = TypeVar("Record")
Reader = Callable[[Any], Any]

Uint32 = int
"""A whole number that fits the D-Bus type u."""
Count = int
"""A whole number, not negative, that fits the D-Bus type x."""
Fraction = float
"""A number from 0 to 1; others are moved to the nearer end."""

_TUPLE = re.compile(r"tuple\[(.+), \.\.\.\]")


def encode_record(record: Any) -> dict[str, Any]:
    """Return the fields of the record, with JSON's own types alone."""
    return {each.name: _encode_value(getattr(record, each.name)) for each in fields(record)}


def decode_record(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """Return the record that `encode_record` wrote, maybe by another version of dockmgrd.

    Keys that are no fields are ignored, and fields with a default may be missing.

    :raises ValueError: if a field is missing or is not of its type.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{data!r:.60} is not a JSON object")
    values = {}
    for each in fields(kind):  # type: ignore[arg-type]
        if each.name in data:
            reader = _find_reader(sys.modules[kind.__module__], str(each.type))
            values[each.name] = _read_field(each.name, reader, data[each.name])
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{each.name} is missing")
    return kind(**values)


def _encode_value(value: Any) -> Any:
    if isinstance(value, Text):
        return value.to_plain()
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return encode_record(value)
    if isinstance(value, tuple):
        return [_encode_value(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


def _read_field(name: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is not valid: {error}") from error


def _find_reader(module: Any, annotation: str) -> Reader:
    if annotation in _READERS:
        return _READERS[annotation]
    item = _TUPLE.fullmatch(annotation)
    if item:
        return partial(_read_tuple, _find_reader(module, item.group(1)))
    kind: Reader = getattr(module, annotation)
    return partial(decode_record, kind) if is_dataclass(kind) else kind


def _read_tuple(reader: Reader, value: Any) -> tuple[Any, ...]:
    return tuple(map(reader, _read_type(list, value)))


def _read_type(kind: type[Any], value: Any) -> Any:
    # A boolean of JSON is an int of Python.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{value!r:.60} is not of the type {kind.__name__}")
    return value


def _read_whole(maximum: int, value: Any) -> int:
    if not 0 <= _read_type(int, value) <= maximum:
        raise ValueError(f"{value} is not in the range of 0 to {maximum}")
    return int(value)


def _read_number(value: Any) -> float:
    return float(value if isinstance(value, int) else _read_type(float, value))


def _read_fraction(value: Any) -> float:
    return min(max(0.0, _read_number(value)), 1.0)


_READERS: Mapping[str, Reader] = {
    "bool": partial(_read_type, bool),
    "str": partial(_read_type, str),
    "int": partial(_read_type, int),
    "Uint32": partial(_read_whole, 2**32 - 1),
    "Count": partial(_read_whole, 2**63 - 1),
    "float": _read_number,
    "Fraction": _read_fraction,
    "Text": from_plain,
    "Mapping[str, Any]": lambda value: dict(_read_type(dict, value)),
    "Mapping[str, str]": lambda value: dict(_read_type(dict, value)),
}
