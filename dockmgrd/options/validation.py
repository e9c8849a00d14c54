# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that the options of several verbs need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockmgrd.enums import Kind
from dockmgrd.errors import InvalidArgs, LimitsExceeded, quote
from dockmgrd.messages import requests as messages
from dockmgrd.verbs import SIGNATURES, has_type

MAX_STRING = 1024
MAX_LIST = 16
MAX_PROBED = 256


class Options:
    """The valid options of one verb."""


def check_options(kind: Kind, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as keyword arguments, each known and of its type."""
    accepted = SIGNATURES[kind]
    values = {}
    for key, value in options.items():
        if key not in accepted:
            known = sorted(accepted)
            text = messages.OPTION_UNKNOWN(option=quote(key), verb=kind.value, options=known)
            raise InvalidArgs(text)
        if not has_type(value, accepted[key]):
            raise InvalidArgs(messages.OPTION_MUST_HAVE_TYPE(option=key, expected=accepted[key]))
        _check_size(key, value, MAX_PROBED if kind is Kind.PROBE else MAX_LIST)
        values[key.replace("-", "_")] = value
    return values


def _check_size(key: str, value: object, max_entries: int) -> None:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > max_entries:
        raise LimitsExceeded(messages.OPTION_TOO_MANY(option=key, max=max_entries))
    if any(isinstance(text, str) and len(text) > MAX_STRING for text in texts):
        raise LimitsExceeded(messages.OPTION_TOO_LONG(option=key, max=MAX_STRING))


def check_seconds(values: Mapping[str, Any], key: str, least: int, most: int) -> None:
    """:raises InvalidArgs: when the option is out of its range."""
    if not least <= values.get(key, least) <= most:
        option = key.replace("_", "-")
        raise InvalidArgs(messages.OPTION_OUT_OF_RANGE(option=option, min=least, max=most))
