# SPDX-License-Identifier: LGPL-2.1-or-later
"""The polkit actions that a request for packages needs."""

from __future__ import annotations

from typing import Any

import pytest

from dockmgrd import names
from dockmgrd.actions import KnownMirrors, find_authorizations
from dockmgrd.enums import Kind
from dockmgrd.options.parsing import parse_options

URL = "https://mine.example/containerd.io.rpm"
MIRRORS = ["https://mirror.example"]
INSTALL, CUSTOM = names.ACTION_INSTALL, names.ACTION_INSTALL_CUSTOM
USUAL = "stable host no"
UNINSTALL, PURGE = names.ACTION_UNINSTALL, names.ACTION_PURGE_DATA


def asked(kind: Kind, given: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions, each with what it is about."""
    every = find_authorizations(parse_options(kind, given), KnownMirrors())
    return [(each.action, " ".join(each.details.values())) for each in every]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (Kind.INSTALL, {}, [(INSTALL, f"official latest {USUAL}")]),
        (Kind.INSTALL, {"source": "a,b", "version": "28"}, [(INSTALL, f"a,b 28 {USUAL}")]),
        (
            Kind.INSTALL,
            {"platform": "rhel/9", "channel": "test", "replace-conflicting": True},
            [(INSTALL, "official latest test rhel/9 yes")],
        ),
        (Kind.INSTALL, {"containerd-rpm": URL}, [(CUSTOM, f"{URL} latest {USUAL}")]),
        (Kind.INSTALL, {"repo-url": "https://r/"}, [(CUSTOM, f"https://r/ latest {USUAL}")]),
        (
            Kind.INSTALL,
            {"repo-url": "https://r/", "containerd-rpm": URL},
            [(CUSTOM, f"https://r/ {URL} latest {USUAL}")],
        ),
        (
            Kind.INSTALL,
            {"mirrors": MIRRORS},
            [
                (INSTALL, f"official latest {USUAL}"),
                (names.ACTION_SET_MIRROR, "https://mirror.example/ docker.io replace"),
            ],
        ),
        (
            Kind.INSTALL,
            {"mirrors": MIRRORS, "dry-run": True},
            [(INSTALL, f"official latest {USUAL}")],
        ),
        (Kind.UNINSTALL, {}, [(UNINSTALL, "no no no")]),
        (Kind.UNINSTALL, {"purge-data": True}, [(UNINSTALL, "yes no no"), (PURGE, "yes no no")]),
        (Kind.UNINSTALL, {"purge-data": True, "dry-run": True}, [(UNINSTALL, "yes no no")]),
        (Kind.LIST_VERSIONS, {"source": "a"}, []),
    ],
)
def test_questions(kind: Kind, given: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert asked(kind, given) == expected
