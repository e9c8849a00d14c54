# SPDX-License-Identifier: LGPL-2.1-or-later
"""What engines of some versions do differently."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"(?:\d+:)?(\d+)\.(\d+)(?:\.(\d+))?")

Version = tuple[int, int, int]


def numbers(version: str) -> Version | None:
    """The numbers of a version as an engine or a package gives it; None where there are none."""
    found = _NUMBERS.match(version)
    if found is None:
        return None
    major, minor, patch = found.groups("0")
    return int(major), int(minor), int(patch)


def takes_path(version: Version) -> bool:
    """Whether a mirror may have a path: moby 3d8f7d0683, and c587ba3422 for 24.0.8."""
    return version >= (24, 0, 8)


def has_validate(version: Version) -> bool:
    """Whether dockerd has --validate: moby 8f80e55111."""
    return version >= (23, 0, 0)
