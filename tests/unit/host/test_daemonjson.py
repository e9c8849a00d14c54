# SPDX-License-Identifier: LGPL-2.1-or-later
"""daemon.json: one member changes, every other byte stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import daemonjson

NAME = "/etc/docker/daemon.json"
MIRRORS = ("https://a.example/", "https://b.example/")

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_documents = st.dictionaries(
    st.text(max_size=12).filter(lambda key: key != daemonjson.MIRRORS_KEY), _values, max_size=5
)
_indents = st.sampled_from([None, 2, 4, "\t"])


def change(text: str, mirrors: tuple[str, ...] = MIRRORS) -> str:
    document = daemonjson.parse(text.encode(), NAME)
    return daemonjson.replace_mirrors(document, mirrors).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "registry-mirrors": [\n    "https://a.example/"\n  ]\n}\n'),
        ("{}\n", '{\n  "registry-mirrors": [\n    "https://a.example/"\n  ]\n}\n'),
        (
            '{\n    "debug": true\n}\n',
            """{
    "debug": true,
    "registry-mirrors": [
        "https://a.example/"
    ]
}
""",
        ),
        (
            '{"debug": true}',
            '{"debug": true, "registry-mirrors": ["https://a.example/"]}',
        ),
        (
            '{\r\n\t"x": 1e5,\r\n\t"registry-mirrors": [],\r\n\t"y": "\\u00e9"\r\n}',
            (
                '{\r\n\t"x": 1e5,\r\n\t"registry-mirrors": [\r\n\t\t"https://a.example/"\r\n\t],'
                '\r\n\t"y": "\\u00e9"\r\n}'
            ),
        ),
        (
            '\ufeff{"registry-mirrors":["http://old"],"a":{"registry-mirrors":[1]}}',
            '\ufeff{"registry-mirrors":["https://a.example/"],"a":{"registry-mirrors":[1]}}',
        ),
    ],
)
def test_only_the_member_changes(before: str, after: str) -> None:
    assert change(before, ("https://a.example/",)) == after


@given(document=_documents, indent=_indents, place=st.integers(0, 5))
def test_every_other_byte_survives_any_sequence_of_changes(
    document: dict[str, Any], indent: int | str | None, place: int
) -> None:
    items = list(document.items())
    items.insert(place, (daemonjson.MIRRORS_KEY, ["https://old.example/"]))
    original = json.dumps(dict(items), indent=indent, ensure_ascii=False)
    text = original
    for mirrors in (MIRRORS, (), MIRRORS[:1], ("https://old.example/",)):
        text = change(text, mirrors)
        assert json.loads(text) == {**document, daemonjson.MIRRORS_KEY: list(mirrors)}
        assert list(json.loads(text)) == [key for key, _ in items]
        assert outside(text) == outside(original)
    assert change(text, ("https://old.example/",)) == text


@given(document=_documents, indent=_indents)
def test_a_member_that_was_not_there_is_added_behind_the_others(
    document: dict[str, Any], indent: int | str | None
) -> None:
    original = json.dumps(document, indent=indent, ensure_ascii=False)
    text = change(original)
    assert json.loads(text) == {**document, daemonjson.MIRRORS_KEY: list(MIRRORS)}
    if document:
        kept = original[: original.rindex("}")].rstrip()
        assert text.startswith(kept), "what was there stands first, as it was"


_spaces = st.text(alphabet=" \t\r\n", max_size=4)
_lists = st.lists(st.sampled_from([*MIRRORS, "https://old.example/", "http://x/p/"]), unique=True)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def _jsons(draw: st.DrawFn, depth: int = 2) -> str:
    """Any way to write a value: escapes, odd numbers, white space wherever it may stand."""
    kind = draw(st.integers(0, 4 if depth else 2))
    if kind == 0:
        return draw(st.sampled_from(["1e5", "-0.0", "10E+2", "9" * 5000, "true", "null", "0"]))
    if kind <= 2:
        return draw(_written_strings())
    inner = draw(st.lists(_jsons(depth - 1), max_size=3))
    spaced = [f"{draw(_spaces)}{each}{draw(_spaces)}" for each in inner]
    if kind == 3:
        return f"[{','.join(spaced) or draw(_spaces)}]"
    members = [
        f'{draw(_spaces)}"{number}"{draw(_spaces)}:{each}' for number, each in enumerate(spaced)
    ]
    return f"{{{','.join(members) or draw(_spaces)}}}"


@st.composite
def _written_strings(draw: st.DrawFn) -> str:
    return json.dumps(draw(_texts), ensure_ascii=draw(st.booleans()))


@st.composite
def _files(draw: st.DrawFn) -> str:
    """A daemon.json as somebody may have written it, with or without the member."""
    members = [
        f'{draw(_spaces)}"k{number}"{draw(_spaces)}:{draw(_spaces)}{draw(_jsons())}{draw(_spaces)}'
        for number in range(draw(st.integers(0, 3)))
    ]
    if draw(st.booleans()):
        key = draw(st.sampled_from(['"registry-mirrors"', '"registry\\u002dmirrors"']))
        value = json.dumps(draw(_lists), indent=draw(_indents))
        place = draw(st.integers(0, len(members)))
        members.insert(place, f"{draw(_spaces)}{key}{draw(_spaces)}:{value}{draw(_spaces)}")
    body = ",".join(members) or draw(_spaces)
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return f"{mark}{draw(_spaces)}{{{body}}}{draw(_spaces)}"


@given(original=_files(), changes=st.lists(_lists, min_size=1, max_size=4))
def test_whatever_is_valid_keeps_every_byte_outside_the_member(
    original: str, changes: list[list[str]]
) -> None:
    text = original
    for mirrors in changes:
        text = change(text, tuple(mirrors))
        document = daemonjson.parse(text.encode(), NAME)
        assert document.mirrors == tuple(mirrors)
        assert change(text, tuple(mirrors)) == text, "the same change twice writes once"
        assert _others(text) == _others(original)
    head, tail = original.split("{")[0], original.rpartition("}")[2]
    assert text.startswith(head)
    assert text.endswith(tail)
    if _has_member(original):
        assert outside(text) == outside(original)


@given(original=_files())
def test_the_member_can_be_taken_out(original: str) -> None:
    document = daemonjson.parse(original.encode(), NAME)
    text = daemonjson.remove_mirrors(document).decode()
    assert not _has_member(text)
    assert _others(text) == _others(original)


def _has_member(text: str) -> bool:
    return daemonjson.MIRRORS_KEY in daemonjson.parse(text.encode(), NAME).values


def _others(text: str) -> list[str]:
    """The other members as they are written, from the key to the end of the value."""
    return [
        text[each.start : each.value_end]
        for each in daemonjson.parse(text.encode(), NAME).members
        if each.key != daemonjson.MIRRORS_KEY
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "not a JSON object"),
        (b'"x"', "not a JSON object"),
        (b'{"a": 1,}', "line 1, column"),
        (b'{\n  // comment\n  "a": 1}', "line 2, column 3"),
        (b'{"a": 1, "a": 2}', 'the key "a" occurs twice'),
        (b'{"a": {"b": 1, "b": 2}}', 'the key "b" occurs twice'),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a":\n "\xff"}', "line 2 is not UTF-8"),
        (b'{"registry-mirrors": "x"}', "not a list of strings"),
        (b'{"a": 1} x', "Extra data"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_unsafe_changes_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        daemonjson.parse(data, NAME)
    assert reason in caught.value.message
    assert NAME in caught.value.message


def outside(text: str) -> str:
    """The text without the value of the member, whose key the samples have once."""
    document = daemonjson.parse(text.encode(), NAME)
    [member] = [each for each in document.members if each.key == daemonjson.MIRRORS_KEY]
    return text[: member.value_start] + text[member.value_end :]


def test_halves_of_characters_are_replaced_as_the_engine_does() -> None:
    """Neither D-Bus nor a path can have them."""
    half, pair = "\\ud800", "\\ud83d\\ude00"
    text = f'{{"registry-mirrors": ["https://{half}.a"], "{half}": [{{"x": "{half}{pair}"}}]}}'
    document = daemonjson.parse(text.encode(), NAME)
    assert document.mirrors == ("https://\ufffd.a",)
    assert document.values["\ufffd"] == [{"x": "\ufffd\N{GRINNING FACE}"}]
    changed = daemonjson.replace_mirrors(document, MIRRORS).decode()
    assert changed.endswith(f'"{half}": [{{"x": "{half}{pair}"}}]}}')
