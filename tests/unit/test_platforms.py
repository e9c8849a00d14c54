# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which system it is, and which package tree fits it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.errors import UnsupportedPlatform
from dockmgrd.platforms import Platform, Tree, parse_os_release, repository_tree


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


def test_what_is_no_assignment_is_passed_over() -> None:
    text = "\n# A=1\nno assignment\nlower=1\nB='not closed\nC=3\n"
    assert parse_os_release(text) == {"C": "3"}


def test_reading(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky 9.4"\n')
    platform = Platform.read(file)
    assert platform == Platform("rocky", "9.4", "Rocky 9.4")
    assert platform.major == "9"
    assert Platform.read(tmp_path / "none") == Platform("", "", "")


@pytest.mark.parametrize(
    ("identifier", "version", "tree"),
    [
        ("centos", "8", Tree("rhel", "8")),
        ("centos", "9", Tree("centos", "9")),
        ("centos", "10", Tree("centos", "10")),
        ("rhel", "8.10", Tree("rhel", "8")),
        ("rhel", "9.4", Tree("rhel", "9")),
        ("rhel", "10.0", Tree("rhel", "10")),
        ("rocky", "8.9", Tree("rhel", "8")),
        ("almalinux", "9.5", Tree("centos", "9")),
        ("ol", "10.0", Tree("centos", "10")),
        ("fedora", "43", Tree("fedora", "43")),
        ("fedora", "44", Tree("fedora", "44")),
    ],
)
def test_trees(identifier: str, version: str, tree: Tree) -> None:
    assert repository_tree(Platform(identifier, version, "")) == tree


@pytest.mark.parametrize(
    ("platform", "pattern"),
    [
        (Platform("debian", "12", "Debian 12"), r"Debian 12 \(ID=debian, .*almalinux, centos"),
        (Platform("fedora", "41", "Fedora 41"), r"VERSION_ID=41.*version 43, 44"),
        (Platform("", "", ""), r"this system \(ID=\?, VERSION_ID=\?\)"),
        (Platform("centos", "", "CentOS"), r"VERSION_ID=\?.*version 8, 9, 10"),
    ],
)
def test_unsupported(platform: Platform, pattern: str) -> None:
    with pytest.raises(UnsupportedPlatform, match=pattern):
        repository_tree(platform)
