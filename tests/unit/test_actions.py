# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which questions polkit is asked about a request for packages."""

from __future__ import annotations

from typing import Any

import pytest

from dockmgrd import names, options
from dockmgrd.actions import Known, questions
from dockmgrd.model import Kind

URL = "https://mine.example/containerd.io.rpm"
MIRRORS = ["https://mirror.example"]
INSTALL, CUSTOM = names.ACTION_INSTALL, names.ACTION_INSTALL_CUSTOM
UNINSTALL, PURGE = names.ACTION_UNINSTALL, names.ACTION_PURGE_DATA


def asked(kind: Kind, given: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions, each with what it is about."""
    every = questions(options.parse(kind, given), Known())
    return [(each.action, " ".join(each.details.values())) for each in every]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (Kind.INSTALL, {}, [(INSTALL, "official latest")]),
        (Kind.INSTALL, {"source": "a,b", "version": "28"}, [(INSTALL, "a,b 28")]),
        (Kind.INSTALL, {"platform": "rhel/9"}, [(INSTALL, "official latest")]),
        (Kind.INSTALL, {"containerd-rpm": URL}, [(CUSTOM, URL)]),
        (Kind.INSTALL, {"repo-url": "https://r/"}, [(CUSTOM, "https://r/")]),
        (
            Kind.INSTALL,
            {"repo-url": "https://r/", "containerd-rpm": URL},
            [(CUSTOM, f"https://r/ {URL}")],
        ),
        (
            Kind.INSTALL,
            {"mirrors": MIRRORS},
            [
                (INSTALL, "official latest"),
                (names.ACTION_SET_MIRROR, "https://mirror.example/ replace"),
            ],
        ),
        (Kind.INSTALL, {"mirrors": MIRRORS, "dry-run": True}, [(INSTALL, "official latest")]),
        (Kind.UNINSTALL, {}, [(UNINSTALL, "no")]),
        (Kind.UNINSTALL, {"purge-data": True}, [(UNINSTALL, "yes"), (PURGE, "yes")]),
        (Kind.UNINSTALL, {"purge-data": True, "dry-run": True}, [(UNINSTALL, "yes")]),
        (Kind.LIST_VERSIONS, {"source": "a"}, []),
    ],
)
def test_questions(kind: Kind, given: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert asked(kind, given) == expected
