# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which system this is, and which of Docker's package trees fits it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths, yamltree
from dockmgrd.errors import UnsupportedPlatform

_ASSIGNMENT = re.compile(r"""([A-Z][A-Z0-9_]*)=(?:"(.*)"|'(.*)'|([^"'].*|))""")
_ESCAPED = re.compile(r'\\([\\$"`])')  # os-release(5): in double quotes, as in a shell


@dataclass(frozen=True)
class Platform:
    """ID, VERSION_ID and PRETTY_NAME of os-release(5); empty where the file does not say."""

    id: str
    version_id: str
    name: str

    @classmethod
    def read(cls, path: Path = paths.OS_RELEASE) -> Platform:
        """What the file says; a host without one is a platform without a name."""
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        fields = parse_os_release(text)
        name = fields.get("PRETTY_NAME") or fields.get("NAME", "")
        return cls(fields.get("ID", ""), fields.get("VERSION_ID", ""), name)

    @property
    def major(self) -> str:
        """The major part of the version: 9 of 9.4."""
        return self.version_id.partition(".")[0]


@dataclass(frozen=True)
class Tree:
    """A package tree: linux/`distribution`/`version` below the prefix of a source."""

    distribution: str
    version: str


def repository_tree(platform: Platform, package: Path = paths.CATALOGUE) -> Tree:
    """The tree whose packages are built for the platform, from `distros.yaml`.

    :raises UnsupportedPlatform: when there is none, with what was found and what is known.
    """
    distributions = yamltree.read(package / "distros.yaml").members()
    if platform.id not in distributions:
        raise UnsupportedPlatform(
            f"Docker has no packages for {_described(platform)}; it has them for "
            f"{', '.join(sorted(distributions))}."
        )
    versions = distributions[platform.id].members()
    if platform.major not in versions:
        raise UnsupportedPlatform(
            f"Docker has no packages for {_described(platform)}; of {platform.id} it has them for "
            f"version {', '.join(versions)}."
        )
    distribution, _, version = versions[platform.major].text().partition("/")
    return Tree(distribution, version)


def parse_os_release(text: str) -> dict[str, str]:
    """The assignments of an os-release file, unquoted; what is none is passed over."""
    fields = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match:
            name, in_double, in_single, bare = match.groups(default="")
            fields[name] = _ESCAPED.sub(r"\1", in_double) or in_single or bare
    return fields


def _described(platform: Platform) -> str:
    name = platform.name or "this system"
    return f"{name} (ID={platform.id or '?'}, VERSION_ID={platform.version_id or '?'})"
