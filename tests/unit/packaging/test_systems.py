# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's table of systems matches the catalog and the builds."""

from __future__ import annotations

import re

import pytest

from bed.suites import SUITES
from dockmgrd import paths
from dockmgrd.catalog.platforms import Platform, find_tree
from dockmgrd.errors import UnsupportedPlatform
from dockmgrd.host import yamltree
from unit.packaging.targets import BUILT, ROOT, TARGETS

_DOCUMENTS = {"README.md": "| The RPM |", "README.zh_CN.md": "| 本 RPM |"}
# The classes, by the word that is bold in a row.
_CLASSES = {
    "Tested": "tested",
    "Builds": "built",
    "Not supported": "not supported",
    "测试过": "tested",
    "构建": "built",
    "不支持": "not supported",
}
_PAIR = re.compile(r"([0-9]+\+?) → ([a-z]+/[0-9]+)")
_GROUP = re.compile(rf"((?:`[a-z-]+` ?)+): ({_PAIR.pattern}(?:, {_PAIR.pattern})*)")


def classes(document: str) -> dict[str, set[tuple[str, str, str]]]:
    """The table: by class, each ID with a version and its tree. Each row gives a reason."""
    text = (ROOT / document).read_text().partition(_DOCUMENTS[document])[2].partition("\n\n")[0]
    found: dict[str, set[tuple[str, str, str]]] = {}
    for row in text.splitlines()[2:]:
        tried, systems, reason = (cell.strip() for cell in row.strip("|").split("|"))
        assert reason, row
        [bold] = re.findall(r"\*\*(.*?)\*\*", tried)
        current = found.setdefault(_CLASSES[bold], set())
        for group in systems.split("; "):
            match = _GROUP.fullmatch(group)
            assert match, group
            names = re.findall(r"`(.*?)`", match[1])
            current |= {(name, *pair) for name in names for pair in _PAIR.findall(match[2])}
    return found


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_table_is_the_data(document: str) -> None:
    """Each system that gets a tree is in one class, with that tree."""
    rows = [row for rows in classes(document).values() for row in rows]
    data = yamltree.read(paths.CATALOGUE / "distros.yaml").members()
    assert sorted(rows) == sorted(
        (identifier, version, tree.text())
        for identifier, versions in data.items()
        for version, tree in versions.members().items()
    )


def test_unknown_systems_are_unsupported() -> None:
    rows = {row for rows in classes("README.md").values() for row in rows}
    for identifier in {row[0] for row in rows}:
        versions = {version for name, version, _ in rows if name == identifier}
        for number in range(60):
            platform = Platform(identifier, str(number), "")
            if any(_covers(version, number) for version in versions):
                assert find_tree(platform)
            else:
                with pytest.raises(UnsupportedPlatform):
                    find_tree(platform)


def _covers(version: str, number: int) -> bool:
    return number >= int(version[:-1]) if version.endswith("+") else number == int(version)


def test_tested_systems_have_a_suite() -> None:
    """A suite stands for one release: EL's rebuilds and the other Fedora are the same to us."""
    releases = [suite.os_release for suite in SUITES.values()]
    stood_for = {(each["ID"].lower(), each["VERSION_ID"].partition(".")[0]) for each in releases}
    tested = {(name, version) for name, version, _ in classes("README.md")["tested"]}
    assert stood_for <= tested


def test_built_systems_have_macros_in_the_tests() -> None:
    names = {target.name for target in TARGETS}
    assert set(BUILT) <= names
    built = {name for name, _, _ in classes("README.md")["built"]}
    assert {"amzn", "openeuler"} <= built
    assert {"Amazon Linux 2023", "openEuler 22.03", "openEuler 24.03"} <= names
