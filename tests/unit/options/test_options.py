# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options of methods, and the errors for invalid ones."""

from __future__ import annotations

from typing import Any

import pytest

from dockmgrd.enums import Kind
from dockmgrd.errors import InvalidArgs, LimitsExceeded
from dockmgrd.options.packages import InstallOptions, ListVersionsOptions, UninstallOptions
from dockmgrd.options.parsing import parse_options


def test_defaults_are_those_of_the_interface_file() -> None:
    assert parse_options(Kind.INSTALL, {}) == InstallOptions(
        source="official", channel="stable", start=True, enable=True
    )
    assert parse_options(Kind.UNINSTALL, {}) == UninstallOptions(purge_data=False, force=False)


def test_options_are_taken_by_their_bus_names() -> None:
    given = {"replace-conflicting": True, "mirrors": ["https://a.example", "https://a.example/"]}
    assert parse_options(Kind.INSTALL, given) == InstallOptions(
        replace_conflicting=True, mirrors=("https://a.example/",)
    )


def test_several_sources_in_their_order_each_once() -> None:
    parsed = InstallOptions.parse({"source": "tuna,ustc,tuna"})
    assert parsed.sources == ("tuna", "ustc")
    assert ListVersionsOptions.parse({}).sources == ("official",)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        (Kind.INSTALL, {"sauce": "x"}, "Unknown option 'sauce'; install takes channel, completion"),
        (Kind.INSTALL, {"source": 5}, "Option 'source' must have D-Bus type 's'"),
        (Kind.INSTALL, {"start": "yes"}, "Option 'start' must have D-Bus type 'b'"),
        (Kind.INSTALL, {"mirrors": "https://a"}, "Option 'mirrors' must have D-Bus type 'as'"),
        (Kind.INSTALL, {"mirrors": [1]}, "Option 'mirrors' must have D-Bus type 'as'"),
        (Kind.INSTALL, {"channel": "nightly"}, "Use one of: stable, test"),
        (Kind.INSTALL, {"version": "28 ; rm"}, "Write it like 28.5.1"),
        (Kind.INSTALL, {"version": "*"}, "Write it like 28.5.1"),
        (Kind.INSTALL, {"source": "../x"}, "is not a valid name of a source"),
        (Kind.INSTALL, {"source": "a,,b"}, "'' is not a valid name of a source"),
        (Kind.INSTALL, {"platform": "rhel"}, "Write it like rhel/9"),
        (Kind.INSTALL, {"platform": "../9"}, "Write it like rhel/9"),
        (Kind.INSTALL, {"containerd-rpm": "http://a.example/x.rpm"}, "begins with https://"),
        (Kind.INSTALL, {"containerd-rpm": "https://u:p@a.example/x.rpm"}, "no user name"),
        (Kind.INSTALL, {"repo-url": "file:///srv"}, "begins with https://"),
        (Kind.INSTALL, {"repo-url": "https://[::1"}, "begins with https://"),
        (Kind.INSTALL, {"repo-url": "https://a", "source": "tuna"}, "exclude each other"),
        (Kind.INSTALL, {"plan": "yes"}, "Use the digest that a dry run returns"),
        (Kind.UNINSTALL, {"plan": "0" * 64, "dry-run": True}, "exclude each other"),
        (Kind.LIST_VERSIONS, {"channel": "nightly"}, "Use one of: stable, test"),
        (Kind.SET_MIRROR, {}, "requires the list of mirrors"),
        (Kind.SET_MIRROR, {"mirrors": [], "registry": "../etc"}, "such as ghcr.io"),
        (Kind.SET_MIRROR, {"mirrors": [], "registry": ["a"]}, "must have D-Bus type 's'"),
        (Kind.PROBE, {"registry": "ghcr.io/x"}, "such as ghcr.io"),
        (
            Kind.SET_MIRROR,
            {"mirrors": ['https://a.example/x"]'], "registry": "ghcr.io"},
            "Write other characters in %XX",
        ),
        (Kind.UNINSTALL, {"purge": True}, "Unknown option 'purge'"),
    ],
)
def test_problems_are_named(kind: Kind, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        parse_options(kind, options)
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    "options", [{"source": "x" * 2000}, {"mirrors": [f"https://{n}.example" for n in range(17)]}]
)
def test_sizes_are_bounded(options: dict[str, Any]) -> None:
    with pytest.raises(LimitsExceeded):
        parse_options(Kind.INSTALL, options)
