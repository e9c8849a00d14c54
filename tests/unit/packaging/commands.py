# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run a command, and fail the test if the command fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping


def output(*command: object, env: Mapping[str, str] | None = None) -> str:
    """What the command prints. The test fails with all of it when the command does."""
    done = subprocess.run(
        [str(argument) for argument in command],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
