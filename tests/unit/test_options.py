# SPDX-License-Identifier: LGPL-2.1-or-later
"""What verbs accept, and the sentence for what they do not."""

from __future__ import annotations

from typing import Any

import pytest

from dockmgrd.errors import InvalidArgs, LimitsExceeded
from dockmgrd.model import Kind
from dockmgrd.options import (
    InstallOptions,
    SetMirrorOptions,
    UninstallOptions,
    normalise_mirror,
    parse,
)


def test_defaults_are_those_of_the_interface_file() -> None:
    assert parse(Kind.INSTALL, {}) == InstallOptions(
        source="official", channel="stable", start=True, enable=True
    )
    assert parse(Kind.UNINSTALL, {}) == UninstallOptions(purge_data=False, force=False)


def test_options_are_taken_by_their_bus_names() -> None:
    given = {"replace-conflicting": True, "mirrors": ["https://a.example", "https://a.example/"]}
    assert parse(Kind.INSTALL, given) == InstallOptions(
        replace_conflicting=True, mirrors=("https://a.example/",)
    )


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        (Kind.INSTALL, {"sauce": "x"}, "Unknown option 'sauce'; install takes channel, enable"),
        (Kind.INSTALL, {"source": 5}, "Option 'source' must have D-Bus type 's'"),
        (Kind.INSTALL, {"start": "yes"}, "Option 'start' must have D-Bus type 'b'"),
        (Kind.INSTALL, {"mirrors": "https://a"}, "Option 'mirrors' must have D-Bus type 'as'"),
        (Kind.INSTALL, {"mirrors": [1]}, "Option 'mirrors' must have D-Bus type 'as'"),
        (Kind.INSTALL, {"channel": "nightly"}, "channels stable and test"),
        (Kind.INSTALL, {"version": "28 ; rm"}, "write it like 28.5.1"),
        (Kind.INSTALL, {"version": "*"}, "write it like 28.5.1"),
        (Kind.INSTALL, {"source": "../x"}, "cannot be the name of a source"),
        (Kind.SET_MIRROR, {}, "needs the list of mirrors"),
        (Kind.UNINSTALL, {"purge": True}, "Unknown option 'purge'"),
    ],
)
def test_what_is_wrong_is_named(kind: Kind, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        parse(kind, options)
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    "options", [{"source": "x" * 2000}, {"mirrors": [f"https://{n}.example" for n in range(17)]}]
)
def test_sizes_are_bounded(options: dict[str, Any]) -> None:
    with pytest.raises(LimitsExceeded):
        parse(Kind.INSTALL, options)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://mirror.example", "https://mirror.example/"),
        ("https://mirror.example///", "https://mirror.example/"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
        ("https://[2001:db8::1]:5000/", "https://[2001:db8::1]:5000/"),
        ("https://mirror.example/prefix", "https://mirror.example/prefix/"),
    ],
)
def test_mirrors_get_one_slash(url: str, normal: str) -> None:
    assert normalise_mirror(url) == normal


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "no URL of a registry"),
        ("mirror.example", "no URL of a registry"),
        ("ftp://mirror.example", "no URL of a registry"),
        ("https://", "no URL of a registry"),
        ("https://user:secret@mirror.example", "has a user name in its URL"),
        ("https://mirror.example/?x=1", "query or fragment"),
        ("https://mirror.example/#x", "query or fragment"),
        ("https://mirror.example/#", "query or fragment"),
        ("https://mirror.example:99999", "no URL"),
        ("https://mirror.example:0", "no possible host and port"),
        ("https://mirror example", "a space or a control character"),
        ("https://mirror.example\x1b[31m", "a space or a control character"),
        ("https://-mirror.example", "no possible host and port"),
        ("https://[::1", "no URL"),
    ],
)
def test_what_is_no_mirror_is_refused_with_its_reason(url: str, sentence: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        SetMirrorOptions.parse({"mirrors": [url]})
    assert sentence in caught.value.message
    assert "secret" not in caught.value.message
    assert "\x1b" not in caught.value.message
