# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plain Python values to D-Bus variants, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockmgrd.bus.dbusnext import Variant
from dockmgrd.errors import InvalidArgs
from dockmgrd.messages import bus as messages

INTEGER_RANGES: Mapping[str, tuple[int, int]] = {
    "y": (0, 2**8 - 1),
    "n": (-(2**15), 2**15 - 1),
    "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "u": (0, 2**32 - 1),
    "x": (-(2**63), 2**63 - 1),
    "t": (0, 2**64 - 1),
}
"""The first and the last value of each integer type."""


def to_variants(
    values: Mapping[str, Any], signatures: Mapping[str, str] | None = None
) -> dict[str, Variant]:
    """Return the values as `a{sv}`: strings, booleans, numbers, mappings, lists of strings or of
    mappings.

    :param signatures: types of values that may be empty lists, and of mappings that are `a{ss}`.
    """
    types = signatures or {}
    return {key: _to_variant(value, types.get(key)) for key, value in values.items()}


def to_plain(value: Any) -> Any:
    """Return the value with its content in place of each Variant."""
    if isinstance(value, Variant):
        return to_plain(value.value)
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    return value


def unpack_options(options: Mapping[str, Variant], signatures: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of options whose types are correct; options without a type are kept.

    Every integer type is correct for an integer option: many bindings choose the type themselves.

    :param signatures: the types by option.
    :raises InvalidArgs: if a type is wrong, or an integer is not in the range of its type.
    """
    for key, variant in options.items():
        expected = signatures.get(key, variant.signature)
        if expected in INTEGER_RANGES and variant.signature in INTEGER_RANGES:
            _check_range(key, variant.value, expected)
        elif variant.signature != expected:
            raise InvalidArgs(
                messages.OPTION_TYPE(option=key, expected=expected, type=variant.signature)
            )
    return {key: variant.value for key, variant in options.items()}


def _check_range(key: str, value: int, signature: str) -> None:
    minimum, maximum = INTEGER_RANGES[signature]
    if not minimum <= value <= maximum:
        raise InvalidArgs(
            messages.OPTION_RANGE(
                option=key, value=str(value), minimum=str(minimum), maximum=str(maximum)
            )
        )


def _to_variant(value: Any, signature: str | None = None) -> Variant:
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
