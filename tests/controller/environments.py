# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual environments with ansible-core, which the Makefile creates outside the checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("DOCKMGRD_CACHE") or "/var/cache/dockmgrd-build")
OLDEST = "tests/requirements-ansible-2.16.txt"
NEWEST = "tests/requirements-ansible.txt"
"""With the linters."""


class NotReadyError(Exception):
    """An environment has not been made."""


def find_environment(requirements: str) -> Path:
    """Return the directory of the environment with these requirements. Raises NotReadyError."""
    digest = hashlib.sha256((ROOT / requirements).read_bytes()).hexdigest()
    path = CACHE / f"venv-{digest[:12]}"
    if not (path / "ready").exists():
        raise NotReadyError(f"there is no environment with {requirements}: run `make ansible`")
    return path


def run_checked(
    *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Return what the command prints. The test fails with all of it when the command fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
