# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plain values, as results and Status hold them, in the shape of `a{sv}`, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockmgrd.bus.dbusnext import Variant


def to_variants(
    values: Mapping[str, Any], signatures: Mapping[str, str] | None = None
) -> dict[str, Variant]:
    """Strings, booleans, integers, floats, lists of strings or of mappings, and mappings.

    :param signatures: types of values that may be empty lists, and of mappings that are `a{ss}`.
    """
    declared = signatures or {}
    return {key: _variant(value, declared.get(key)) for key, value in values.items()}


def to_plain(value: Any) -> Any:
    """The value with every Variant in it replaced by what it holds."""
    if isinstance(value, Variant):
        return to_plain(value.value)
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    return value


def _variant(value: Any, signature: str | None = None) -> Variant:
    if signature == "a{ss}" or (signature is not None and not value):
        return Variant(signature, value)
    if isinstance(value, bool):
        return Variant("b", value)
    if isinstance(value, int):
        return Variant("x", value)
    if isinstance(value, float):
        return Variant("d", value)
    if isinstance(value, str):
        return Variant("s", value)
    if isinstance(value, Mapping):
        return Variant("a{sv}", to_variants(value))
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(item, Mapping) for item in value):
            return Variant("aa{sv}", [to_variants(item) for item in value])
        return Variant("as", list(value))
    raise TypeError(f"no D-Bus type for {type(value).__name__}")
