# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a command that must succeed, with its output in the error when it does not."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Argument = Union[str, Path]


class CommandError(Exception):
    """A command that must succeed did not. The message holds all that it printed."""


def checked(
    argv: Sequence[Argument],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command to its end and return its output, both streams together.

    Raises CommandError when the exit status is not 0.
    """
    done = subprocess.run(
        [str(argument) for argument in argv],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        command = " ".join(str(argument) for argument in argv)
        raise CommandError(f"exit status {done.returncode}: {command}\n{done.stdout}")
    return done.stdout
