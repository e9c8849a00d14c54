# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hosts.toml that we write: what a parser of TOML reads in it, and what counts as ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockmgrd.errors import InvalidArgs
from dockmgrd.host.hosts_toml import Certificates, Endpoint, parse, render
from dockmgrd.mirror_urls import check_paths, normalize_mirror

tomllib = pytest.importorskip("tomllib")

A, B = "https://a.example/", "http://b.example:5000/"
PULLS = ["pull", "resolve"]


def read(content: bytes) -> dict[str, Any]:
    values: dict[str, Any] = tomllib.loads(content.decode())
    return values


def test_everything_that_it_can_say() -> None:
    pairs = (("c.cert", "c.key"), ("d.cert", "d.cert"))
    certificates = Certificates(("ca.crt", 'q"uote\\.crt'), pairs)
    other = Certificates(("/etc/docker/certs.d/a.example/\x7fü.crt",))
    content = render(
        "own.example:5000",
        Endpoint("http://own.example:5000/", certificates, unchecked=True),
        [Endpoint(A, other), Endpoint(B), Endpoint("https://c.example/x/", unchecked=True)],
        made_folder=True,
    )
    values = read(content)
    hosts = values.pop("host")
    assert values == {
        "server": "http://own.example:5000",
        "ca": ["ca.crt", 'q"uote\\.crt'],
        "client": [["c.cert", "c.key"], ["d.cert", "d.cert"]],
        "skip_verify": True,
    }
    assert list(hosts) == ["https://a.example", "http://b.example:5000", "https://c.example/x"]
    assert list(hosts.values()) == [
        {"capabilities": PULLS, "ca": ["/etc/docker/certs.d/a.example/\x7fü.crt"]},
        {"capabilities": PULLS},
        {"capabilities": PULLS, "skip_verify": True},
    ]
    ours = parse("own.example:5000", content)
    assert ours is not None
    assert (ours.mirrors, ours.made_folder) == ((A, B, "https://c.example/x/"), True)


@pytest.mark.parametrize(
    ("url", "overrides"),
    [
        ("https://a.example/", False),
        ("https://a.example/ghcr/", False),
        ("https://a.example/v2/", False),
        ("https://a.example/ghcr/v2/", False),
        ("https://a.example/v2/ghcr/", True),
        ("https://v2/", False),
    ],
)
def test_a_path_that_says_where_the_api_is_overrides_it(url: str, *, overrides: bool) -> None:
    [host] = read(render("ghcr.io", Endpoint(), [Endpoint(url)], made_folder=False))[
        "host"
    ].values()
    assert host.get("override_path", False) is overrides


def test_only_what_was_written_for_this_registry_is_ours() -> None:
    content = render("ghcr.io", Endpoint(), [Endpoint(A)], made_folder=False)
    assert parse("ghcr.io", content) is not None
    assert parse("quay.io", content) is None
    assert parse("ghcr.io", b"") is None
    assert parse("ghcr.io", b"\xff" + content) is None
    for position in range(len(content)):
        assert parse("ghcr.io", content[:position] + content[position + 1 :]) is None
        changed = bytes([content[position] ^ 1])
        assert parse("ghcr.io", content[:position] + changed + content[position + 1 :]) is None
    assert parse("ghcr.io", content + b"\n") is None


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=20), max_size=4))
def test_no_path_of_a_url_says_anything_else(paths: list[str]) -> None:
    mirrors = []
    for path in paths:
        try:
            url = normalize_mirror(f"https://a.example/{path}")
            check_paths((url,))
        except InvalidArgs:
            continue
        mirrors.append(url)
    mirrors = list(dict.fromkeys(mirrors))
    content = render("ghcr.io", Endpoint(), [Endpoint(url) for url in mirrors], made_folder=False)
    values = read(content)
    assert values.keys() <= {"host"}
    hosts = values.get("host", {})
    assert [f"{url}/" for url in hosts] == mirrors
    assert all(each.keys() <= {"capabilities", "override_path"} for each in hosts.values())
    ours = parse("ghcr.io", content)
    assert ours is not None
    assert list(ours.mirrors) == mirrors


@pytest.mark.parametrize(
    "path",
    [
        'x"]\n[host."https://evil.example',
        *('x"]', "x\\", "x\\u0022]", "a/../b", "a/./b", "..", "a//b", "%2e%2e/x", "a/%2E/b", "%zz"),
        *("x{y}", "x|y", "x^y", "x`y", "<x>", "x[y]"),
    ],
)
def test_paths_that_could_say_something_else_are_refused(path: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        check_paths((normalize_mirror(f"https://a.example/{path}"),))
    assert "\n" not in caught.value.message
