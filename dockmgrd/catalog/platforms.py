# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which system this is, and which of Docker's package trees fits it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import UnsupportedPlatform
from dockmgrd.host import regular_files, yamltree
from dockmgrd.messages import sources as messages
from dockmgrd.messages.text import Text

_ASSIGNMENT = re.compile(r"""([A-Z][A-Z0-9_]*)=(?:"(.*)"|'(.*)'|([^"'].*|))""")
_NUMBER = re.compile(r"[0-9]+")
_AND_NEWER = "+"
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
            text = regular_files.read_text(path)
        except OSError:
            text = ""
        fields = parse_os_release(text)
        name = fields.get("PRETTY_NAME") or fields.get("NAME", "")
        return cls(fields.get("ID", ""), fields.get("VERSION_ID", ""), name)

    @property
    def major(self) -> str:
        """The first number of the version: 9 of 9.4, 7 of 7Server, 10 of V10; "" without one."""
        match = _NUMBER.search(self.version_id)
        return match.group() if match else ""


@dataclass(frozen=True)
class Tree:
    """A package tree: linux/`distribution`/`version` below the prefix of a source."""

    distribution: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Tree:
        """The tree that DISTRIBUTION/VERSION names."""
        distribution, _, version = text.partition("/")
        return cls(distribution, version)


def find_tree(platform: Platform, package: Path = paths.CATALOGUE) -> Tree:
    """The tree whose packages are built for the platform, from `distros.yaml`.

    :raises UnsupportedPlatform: when there is none, naming this system and the supported ones.
    """
    distributions = yamltree.read(package / "distros.yaml").members()
    versions = distributions.get(platform.id.lower())
    if versions is None:
        unknown = messages.PLATFORM_UNKNOWN(
            platform=_describe(platform), distributions=sorted(distributions)
        )
        raise UnsupportedPlatform(unknown.with_remedy(messages.CHOOSE_PLATFORM()))
    for version, tree in versions.members().items():
        if _covers(version, platform.major):
            return Tree.parse(tree.text())
    unknown = messages.PLATFORM_VERSION_UNKNOWN(
        platform=_describe(platform),
        distribution=platform.id,
        versions=list(versions.members()),
    )
    raise UnsupportedPlatform(unknown.with_remedy(messages.CHOOSE_PLATFORM()))


def _covers(version: str, major: str) -> bool:
    if version.endswith(_AND_NEWER) and major:
        return int(major) >= int(version[: -len(_AND_NEWER)])
    return version == major


def parse_os_release(text: str) -> dict[str, str]:
    """The assignments of an os-release file, unquoted; other lines are skipped."""
    fields = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match:
            name, in_double, in_single, bare = match.groups(default="")
            fields[name] = _ESCAPED.sub(r"\1", in_double) or in_single or bare
    return fields


def _describe(platform: Platform) -> Text | str:
    source = f"ID={platform.id or '?'}, VERSION_ID={platform.version_id or '?'}"
    return f"{platform.name} ({source})" if platform.name else messages.THIS_SYSTEM(source=source)
