# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockerd's own check of a configuration file, where the engine has one (23.0 and newer)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence


async def validate(command_line: Sequence[str], content: bytes) -> str:
    """What dockerd objects to in the content; "" when nothing.

    :param command_line: how the unit starts dockerd: its flags must be checked together with the
        file, because a setting in both places is what dockerd refuses.
    """
    import tempfile  # slow to load

    program, *flags = command_line
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(content)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            program,
            *flags,
            "--validate",
            f"--config-file={file.name}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await process.communicate()
    if process.returncode == 0:
        return ""
    lines = complaint.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].rstrip(".") if lines else f"it ended with {process.returncode}"
