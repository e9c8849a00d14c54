# SPDX-License-Identifier: LGPL-2.1-or-later
"""Options with any integer type, because bindings choose different ones."""

from __future__ import annotations

from typing import Any

import pytest

from dockmgrd import errors
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.variants import INTEGER_RANGES, to_plain, to_variants, unpack_options
from dockmgrd.enums import Kind
from dockmgrd.verbs import SIGNATURES


@pytest.mark.parametrize("type_", INTEGER_RANGES)
@pytest.mark.parametrize("declared", INTEGER_RANGES)
def test_an_integer_of_any_type_counts_up_to_the_limits(type_: str, declared: str) -> None:
    lowest, highest = INTEGER_RANGES[type_]
    first, last = INTEGER_RANGES[declared]
    for value in {lowest, -1, 0, 100, highest, first, last, first - 1, last + 1}:
        if not lowest <= value <= highest:
            continue
        options = {"n": Variant(type_, value)}
        if first <= value <= last:
            assert unpack_options(options, {"n": declared}) == {"n": value}
        else:
            with pytest.raises(errors.InvalidArgs, match=rf"'n' is {value}; it must be {first} to"):
                unpack_options(options, {"n": declared})


@pytest.mark.parametrize(
    ("signature", "value", "declared"),
    [
        *(("s", "5", "u"), ("d", 5.0, "u"), ("b", True, "u"), ("v", Variant("u", 5), "u")),
        *(("u", 1, "b"), ("y", 1, "s"), ("i", 1, "d"), ("h", 0, "u"), ("au", [5], "u")),
        *(("s", "a", "as"), ("as", ["a"], "s"), ("a{ss}", {}, "as"), ("o", "/x", "s")),
    ],
)
def test_no_other_type_is_converted(signature: str, value: Any, declared: str) -> None:
    with pytest.raises(errors.InvalidArgs) as caught:
        unpack_options({"n": Variant(signature, value)}, {"n": declared})
    assert caught.value.message == (
        f"Option 'n' must have D-Bus type '{declared}', not '{signature}'."
    )
    assert caught.value.text.args == {"option": "n", "expected": declared, "type": signature}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("type_", INTEGER_RANGES)
def test_every_integer_option_of_every_verb(kind: Kind, type_: str) -> None:
    for key, signature in SIGNATURES[kind].items():
        options = {key: Variant(type_, 7)}
        if signature in INTEGER_RANGES:
            assert unpack_options(options, SIGNATURES[kind]) == {key: 7}
        else:
            with pytest.raises(errors.InvalidArgs):
                unpack_options(options, SIGNATURES[kind])


def test_an_option_that_is_not_declared_is_kept_for_the_caller_to_refuse() -> None:
    assert unpack_options({"x": Variant("a{ss}", {"a": "b"})}, {"n": "u"}) == {"x": {"a": "b"}}


def test_plain_values_become_variants_and_come_back() -> None:
    values = {
        "text": "é",
        "flag": True,
        "count": -5,
        "share": 0.5,
        "names": ["a", "b"],
        "none": [],
        "rows": [{"name": "a", "size": 1}],
        "empty": [],
        "versions": {"docker-ce": "28"},
        "deep": {"inner": {"flag": False}},
    }
    variants = to_variants(values, {"empty": "aa{sv}", "versions": "a{ss}"})
    types = {key: variant.signature for key, variant in variants.items()}
    assert types == {
        "text": "s",
        "flag": "b",
        "count": "x",
        "share": "d",
        "names": "as",
        "none": "as",
        "rows": "aa{sv}",
        "empty": "aa{sv}",
        "versions": "a{ss}",
        "deep": "a{sv}",
    }
    assert to_plain(variants) == values
    with pytest.raises(TypeError):
        to_variants({"x": object()})
