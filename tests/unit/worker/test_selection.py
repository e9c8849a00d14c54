# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages for a request: nearest versions, and the packages of an upgrade."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import pytest

pytest.importorskip("rpm")  # Debian's module is for Debian's Python alone.

from dockmgrd.worker import selection
from dockmgrd.worker.backend import Backend, Package
from dockmgrd.worker.protocol import InstallPackages

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLISHED = "29.0.0 28.5.2 28.5.1 28.4.0 28.3.3 27.5.1 27.0.1 26.1.4 26.0.0"


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("28.5.3", "28.5.2 28.5.1 28.4.0 28.3.3 27.5.1"),
        ("27.5.0", "28.5.2 28.5.1 28.4.0 27.5.1 27.0.1"),
        ("26", "28.3.3 27.5.1 27.0.1 26.1.4 26.0.0"),
    ],
)
def test_nearest_versions(wanted: str, near: str) -> None:
    assert selection.find_nearest(PUBLISHED.split(), wanted) == near.split()


def make_package(name: str, version: str) -> Package:
    return Package(name, "0", version, "1", f"{name}-{version}-1.x86_64", 0, 0, None)


class Shelf:
    """A backend of which no more than what is installed and offered counts."""

    def __init__(self, installed: Mapping[str, str], offered: Mapping[str, str]) -> None:
        self.installed = [make_package(*each) for each in installed.items()]
        self.offered = [
            make_package(name, version)
            for name, versions in offered.items()
            for version in versions.split()
        ]
        self.marked: list[str] = []

    def find_installed(self, names: Iterable[str]) -> list[Package]:
        wanted = set(names)
        return [each for each in self.installed if each.name in wanted]

    def find_offered(self, names: Iterable[str]) -> list[Package]:
        wanted = set(names)
        return [each for each in self.offered if each.name in wanted]

    def mark_install(self, package: Package) -> None:
        self.marked.append(package.nevra)


@pytest.mark.parametrize(
    ("upgrade", "version", "marked"),
    [
        (False, "", []),
        (True, "", ["containerd.io-2.2.0-1.x86_64", "docker-ce-28.5.2-1.x86_64"]),
        (True, "28.5.0", ["containerd.io-2.2.0-1.x86_64", "docker-ce-28.5.0-1.x86_64"]),
        (False, "28.5.0", ["docker-ce-28.5.0-1.x86_64"]),
    ],
)
def test_an_upgrade_takes_the_newest_of_each(
    upgrade: bool, version: str, marked: list[str]
) -> None:
    shelf = Shelf(
        {"docker-ce": "28.5.1", "containerd.io": "2.1.0", "docker-buildx-plugin": "0.30"},
        {
            "docker-ce": "28.5.2 28.5.0",
            "containerd.io": "2.2.0 2.1.0",
            "docker-buildx-plugin": "0.29",  # What is installed is newer, and stays.
        },
    )
    names = tuple(each.name for each in shelf.installed)
    request = InstallPackages(
        names=names,
        version=version,
        versioned=("docker-ce",),
        repository="docker-ce-stable",
        key_file="",
        fingerprint="",
        weak_dependencies=False,
        allow_removals=False,
        upgrade=upgrade,
    )
    found = selection.mark_install(cast("Backend", shelf), request, [])
    assert sorted(shelf.marked) == marked
    assert sorted(each.nevra for each in found) == marked
