# SPDX-License-Identifier: LGPL-2.1-or-later
"""The detection of the system and of its package tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd import paths
from dockmgrd.catalog.platforms import Platform, Tree, find_tree, parse_os_release
from dockmgrd.errors import UnsupportedPlatform
from dockmgrd.host import yamltree


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ('A="double quoted"', "double quoted"),
        ("A='single $quoted'", "single $quoted"),
        (r'A="with \" \$ \\ \` escapes"', 'with " $ \\ ` escapes'),
        ("A=", ""),
        ('A=""', ""),
        ("  A=b  ", "b"),
        ("A='a # b'", "a # b"),
    ],
)
def test_quoting(line: str, value: str) -> None:
    assert parse_os_release(line) == {"A": value}


def test_lines_that_are_not_assignments_are_ignored() -> None:
    text = "\n# A=1\nno assignment\nlower=1\nB='not closed\nC=3\n"
    assert parse_os_release(text) == {"C": "3"}


def test_reading(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky 9.4"\n')
    platform = Platform.read(file)
    assert platform == Platform("rocky", "9.4", "Rocky 9.4")
    assert platform.major == "9"
    assert Platform.read(tmp_path / "none") == Platform("", "", "")


ROWS = """
centos 7 centos/7
centos 8 rhel/8
centos 9 centos/9
centos 10 centos/10
rhel 7.9 centos/7
rhel 7Server centos/7
rhel 8.10 rhel/8
rhel 9 rhel/9
rhel 9.4 rhel/9
rhel 10.0 rhel/10
rocky 8.9 rhel/8
rocky 9.4 centos/9
rocky 10.0 centos/10
almalinux 8.10 rhel/8
almalinux 9.5 centos/9
almalinux 10.0 centos/10
ol 7.9 centos/7
ol 8.9 rhel/8
ol 9.4 centos/9
ol 10.0 centos/10
fedora 43 fedora/43
fedora 44 fedora/44
fedora-asahi-remix 43 fedora/43
fedora-asahi-remix 44 fedora/44
amzn 2 centos/7
amzn 2023 centos/9
amzn 2023.4.20240429 centos/9
openEuler 20.03 rhel/8
openEuler 21.09 rhel/8
openEuler 22.03 rhel/8
openEuler 23.09 centos/9
openEuler 24.03 centos/10
openEuler 25.09 centos/10
hce 1.1 rhel/8
hce 2.0 centos/9
anolis 7.9 centos/7
anolis 8.8 rhel/8
anolis 23 centos/9
opencloudos 8.8 rhel/8
opencloudos 9.2 centos/9
opencloudos 23 centos/9
tencentos 2.4 centos/7
tencentos 3.1 rhel/8
tencentos 4.2 centos/9
alinux 2.1903 centos/7
alinux 3 rhel/8
kylin V10 rhel/8
kylin V11 centos/10
kylin V12 centos/10
"""


@pytest.mark.parametrize("row", ROWS.split("\n")[1:-1])
def test_trees(row: str) -> None:
    identifier, version, tree = row.split()
    assert find_tree(Platform(identifier, version, "")) == Tree.parse(tree)


def test_every_line_of_the_data_is_a_row() -> None:
    rows = {tuple(row.split()[::2]) for row in ROWS.lower().split("\n")[1:-1]}
    lines = {
        (name, tree.text())
        for name, versions in yamltree.read(paths.CATALOGUE / "distros.yaml").members().items()
        for tree in versions.members().values()
    }
    assert lines == rows


@pytest.mark.parametrize(
    ("platform", "pattern"),
    [
        (
            Platform("debian", "12", "Debian 12"),
            r"Debian 12 \(ID=debian, .*almalinux, .*TREE/VERSION",
        ),
        (Platform("fedora", "41", "Fedora 41"), r"VERSION_ID=41.*version 43, 44"),
        (Platform("", "", ""), r"this system \(ID=\?, VERSION_ID=\?\)"),
        (Platform("centos", "", "CentOS"), r"VERSION_ID=\?.*version 7, 8, 9, 10"),
    ],
)
def test_unsupported(platform: Platform, pattern: str) -> None:
    with pytest.raises(UnsupportedPlatform, match=pattern):
        find_tree(platform)
