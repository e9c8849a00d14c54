# SPDX-License-Identifier: LGPL-2.1-or-later
"""The URLs of registry mirrors: validation, normalization and errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockmgrd.enums import Kind
from dockmgrd.errors import InvalidArgs, LimitsExceeded
from dockmgrd.mirror_urls import (
    Mode,
    find_faults,
    has_insecure,
    merge,
    normalize_known,
    normalize_mirror,
    with_paths,
)
from dockmgrd.options.mirrors import ProbeOptions, SetMirrorOptions
from dockmgrd.options.parsing import parse_options


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://mirror.example", "https://mirror.example/"),
        ("https://mirror.example///", "https://mirror.example/"),
        ("HTTPS://Mirror.Example/", "https://mirror.example/"),
        ("https://mirror.example.", "https://mirror.example./"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
        ("https://mirror.example:00443", "https://mirror.example:443/"),
        ("https://[2001:db8::1]:5000/", "https://[2001:db8::1]:5000/"),
        ("https://[2001:DB8:0::1]", "https://[2001:db8::1]/"),
        ("https://mirror.example/prefix", "https://mirror.example/prefix/"),
        ("https://mirror.example/A/b//", "https://mirror.example/A/b/"),
        ("https://镜像.example", "https://xn--o1q148n.example/"),
        ("https://MÜNCHEN.example:5000", "https://xn--mnchen-3ya.example:5000/"),
        ("https://under_score.example", "https://under_score.example/"),
    ],
)
def test_a_mirror_is_written_in_one_way(url: str, normal: str) -> None:
    assert normalize_mirror(url) == normal
    assert normalize_mirror(normal) == normal


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "is not a registry URL"),
        ("mirror.example", "is not a registry URL"),
        ("mirror.example:5000", "is not a registry URL"),
        ("ftp://mirror.example", "is not a registry URL"),
        ("https://", "is not a registry URL"),
        ("https://user:secret@mirror.example", "has a user name, which dockerd refuses"),
        ("https://mirror.example/?x=1", "a query or a fragment"),
        ("https://mirror.example/?", "a query or a fragment"),
        ("https://mirror.example/#x", "a query or a fragment"),
        ("https://mirror.example/#", "a query or a fragment"),
        ("https://mirror.example/ä", "Write the path in %XX"),
        ("https://mirror.example:99999", "is not a valid URL"),
        ("https://mirror.example:x", "is not a valid URL"),
        ("https://mirror.example:0", "has an invalid host or port"),
        ("https://mirror.example:", "has an invalid host or port"),
        ("https://mirror example", "a space or a control character"),
        ("https://mirror.example\x1b[31m", "a space or a control character"),
        ("https://-mirror.example", "has an invalid host or port"),
        ("https://mirror..example", "has an invalid host or port"),
        ("https://mirror.example\\evil", "has an invalid host or port"),
        (f"https://{'m' * 64}.example", "has an invalid host or port"),
        (f"https://{'m.' * 130}example", "has an invalid host or port"),
        ("https://[::1", "is not a valid URL"),
        ("https://[fe80::1%eth0]", "has an invalid host or port"),
        ("https://straße.example", "read in two ways"),
    ],
)
def test_invalid_mirrors_are_refused_with_a_reason(url: str, sentence: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        SetMirrorOptions.parse({"mirrors": [url]})
    assert sentence in caught.value.message
    assert "secret" not in caught.value.message
    assert "\x1b" not in caught.value.message


@given(st.text(max_size=40).map(lambda text: f"https://{text}") | st.text(max_size=40))
def test_whatever_is_given_becomes_a_mirror_or_a_refusal(url: str) -> None:
    try:
        normal = normalize_mirror(url)
    except InvalidArgs:
        return
    assert normal == normalize_mirror(normal)
    assert normal.isascii()
    assert normal.endswith("/")


A, B, C = "https://a.example/", "https://b.example/", "http://c.example/x/"


def test_lists_are_put_together_by_their_mode() -> None:
    assert merge(Mode.REPLACE, (A, B), (C,)) == (C,)
    assert merge(Mode.APPEND, (A, B), (C, A)) == (A, B, C)
    assert merge(Mode.REMOVE, (A, B), (A, C)) == (B,)
    assert normalize_known(("https://A.example", A, "no mirror")) == (A, "no mirror")
    assert has_insecure((A, C))
    assert not has_insecure((A, B))
    assert with_paths((A, B, C)) == (C,)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        (Kind.SET_MIRROR, {"mirrors": [A], "mode": "insert"}, "replace, append, remove"),
        (Kind.SET_MIRROR, {"mirrors": [], "mode": "append"}, "no mirror to append"),
        (Kind.SET_MIRROR, {"mirrors": [], "mode": "remove"}, "no mirror to remove"),
        (Kind.SET_MIRROR, {"mirrors": [A], "verify": 1}, "D-Bus type 'b'"),
        (Kind.PROBE, {"timeout": True}, "D-Bus type 'u'"),
        (Kind.PROBE, {"timeout": 0}, "1 to 60 seconds"),
        (Kind.PROBE, {"timeout": 61}, "1 to 60 seconds"),
        (Kind.PROBE, {"mirrors": ["x"]}, "is not a registry URL"),
    ],
)
def test_invalid_options_are_named(kind: Kind, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        parse_options(kind, options)
    assert sentence in caught.value.message


def test_many_may_be_probed_and_few_set() -> None:
    many = [f"https://m{number}.example" for number in range(256)]
    assert len(ProbeOptions.parse({"mirrors": many}).mirrors) == 256
    for kind, given_mirrors in ((Kind.PROBE, [*many, "https://x"]), (Kind.SET_MIRROR, many)):
        with pytest.raises(LimitsExceeded):
            parse_options(kind, {"mirrors": given_mirrors})


@pytest.mark.parametrize(
    ("present", "requested"),
    [
        ("", ""),
        (" ", ""),
        ("mirror.example", "mirror.example"),
        ("mirror.example:5000", "https://Mirror.example:5000/"),
        ("  https://mirror.example\t", "https://mirror.example"),
        ("https://mirror.example/ ", "https://mirror.example/ "),
        ("https://user:secret@mirror.example", "https://mirror.example/"),
        ("HTTPS://Mirror.Example//", "mirror.example"),
        ("ftp://mirror.example/", "FTP://mirror.example"),
        ("https://mirror.example/?x", "https://mirror.example/?x"),
    ],
)
def test_a_mirror_to_remove_is_found_in_every_spelling(present: str, requested: str) -> None:
    options = SetMirrorOptions.parse({"mirrors": [requested], "mode": "remove"})
    assert merge(options.mode, (present, "http://mirror.example/"), options.mirrors) == (
        "http://mirror.example/",
    )


@pytest.mark.parametrize("url", ["https://user:secret@mirror.example", "a\nb", "user@mirror"])
def test_a_mirror_to_remove_has_no_password_and_no_control_characters(url: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        SetMirrorOptions.parse({"mirrors": [url], "mode": "remove"})
    assert "secret" not in str(caught.value)


def test_faults_are_found_by_entry() -> None:
    faults = find_faults(["", "https://mirror.example", "mirror.example", "https://a b/"])
    assert {url: text.id for url, text in faults.items()} == {
        "": "mirror-not-registry",
        "mirror.example": "mirror-not-registry",
        "https://a b/": "mirror-has-space",
    }
