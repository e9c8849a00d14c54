# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names of registries: what Docker takes for one, and what must never become a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockmgrd.errors import InvalidArgs
from dockmgrd.mirror_urls import normalize_registry


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("ghcr.io", "ghcr.io"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry.example:5000", "registry.example:5000"),
        ("registry:5000", "registry:5000"),
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:65535", "10.1.2.3:65535"),
        ("[::1]", "[::1]"),
        ("[2001:db8:0:0::1]:5000", "[2001:db8::1]:5000"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example:5000", "xn--bcher-kva.example:5000"),
        ("a-b.c-d.example", "a-b.c-d.example"),
    ],
)
def test_valid_names(name: str, normal: str) -> None:
    assert normalize_registry(name) == normal
    assert normalize_registry(normal) == normal


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "/", "../etc", "ghcr.io/..", "ghcr.io/x", "/ghcr.io", "..:5000", ".:1"),
        *(
            "ghcr.io\x00",
            "ghcr.io\n",
            "\nghcr.io",
            "gh\x7fcr.io",
            "ghcr.io ",
            " ghcr.io",
            "a\tb.io",
        ),
        *("_default", "a_b.example", "registry.example_5000_", "*", "*.example", "ghcr"),
        *(".ghcr.io", "ghcr.io.", "ghcr..io", "-a.example", "a-.example", f"{'a' * 64}.io"),
        *("ghcr.io:", "ghcr.io:0", "ghcr.io:080", "ghcr.io:65536", "ghcr.io:5 ", "ghcr.io:x"),
        *("ghcr.io:1:2", "a:b:c", "::1", "::1:5000", "[::1", "::1]", "[]", "[]:5000", "[1.2.3.4]"),
        *("[::1%eth0]", "[::1]x", "[::1]:", "x[::1]", "[::1]/..", "[fe80::/x]"),
        *("https://ghcr.io", "user@ghcr.io", "ghcr.io?x", "ghcr.io#x", "ghcr.io\\x", '"ghcr.io"'),
        *(
            "\u2024\u2024",
            "ghcr\uff0eio/\u2026",
            "\ud800.example",
            "\u202eoi.rchg",
            "\uff0f.example",
        ),
        f"{'a.' * 200}example",
    ],
)
def test_what_is_no_registry_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        normalize_registry(name)
    assert caught.value.text.remedy is not None
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["GHCR.io", "ghcr.IO:5000", "[2001:DB8::1]", "B\u00dc.example"])
def test_uppercase_letters_are_another_registry_to_docker(name: str) -> None:
    with pytest.raises(InvalidArgs, match="Write the name in lowercase"):
        normalize_registry(name)


@given(st.text(alphabet=st.sampled_from("aZ0.:-_/\\[]%@*\x00\n\u00fc\uff0e\u2025"), max_size=12))
def test_whatever_is_accepted_is_one_part_of_a_path(name: str) -> None:
    try:
        registry = normalize_registry(name)
    except InvalidArgs:
        return
    assert registry.isascii()
    assert registry.isprintable()
    assert registry[0] not in "._-"
    assert not {"/", "\\", "%", " ", "_"} & set(registry)
    assert normalize_registry(registry) == registry
