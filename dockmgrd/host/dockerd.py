# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a version of dockerd can do, and its own check of a configuration file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from dockmgrd.host.command_line import CONFIG_FLAG

_NUMBERS = re.compile(r"(?:\d+:)?(\d+)\.(\d+)(?:\.(\d+))?")
_USAGE_ERROR = 125
"""dockerd's exit status for a flag that it does not know."""

Version = tuple[int, int, int]


def parse_version(version: str) -> Version | None:
    """The numbers of a version that an engine or a package has; None without numbers."""
    found = _NUMBERS.match(version)
    if found is None:
        return None
    major, minor, patch = found.groups("0")
    return int(major), int(minor), int(patch)


def supports_mirror_paths(version: Version) -> bool:
    """Whether a mirror may have a path.

    https://github.com/moby/moby/commit/3d8f7d0683 and, for 24.0.8,
    https://github.com/moby/moby/commit/c587ba3422
    """
    return version >= (24, 0, 8)


def supports_validation(version: Version) -> bool:
    """Whether dockerd has --validate: https://github.com/moby/moby/commit/8f80e55111"""
    return version >= (23, 0, 0)


async def validate_config(command_line: Sequence[str], file: Path, name: Path) -> str:
    """What dockerd objects to in a configuration file; "" when it has no objection.

    A dockerd that does not know --validate has none, nor does one that cannot be started.

    :param command_line: how the unit starts dockerd. Its flags are checked together with the file,
        because dockerd refuses a setting in both places.
    :param file: the file to check.
    :param name: what the file is called in the answer.
    """
    program, *flags = command_line
    others = [word for word in flags if not word.startswith(f"{CONFIG_FLAG}=")]
    try:
        process = await asyncio.create_subprocess_exec(
            *(program, *others, "--validate", f"{CONFIG_FLAG}={file}"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError:  # the unit has outlived its program
        return ""
    _, output = await process.communicate()
    if process.returncode in (0, _USAGE_ERROR):
        return ""
    lines = output.decode("utf-8", "replace").strip().splitlines()
    if not lines:
        return f"exit status {process.returncode}"
    return lines[-1].rstrip(".").replace(str(file), str(name))
