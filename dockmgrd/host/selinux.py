# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labels of SELinux for folders that no package has made.

A new folder gets the label of the one that it is in. The policy has another one for /etc/docker.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

_ENABLED = Path("/sys/fs/selinux/enforce")
_RESTORECON = "/usr/sbin/restorecon"
_TIMEOUT = 10.0


def restore_labels(*paths: Path) -> None:
    """Give the paths the labels of the host's policy, where it has one. What fails is left."""
    if not (paths and os.path.exists(_ENABLED)):
        return
    quiet = subprocess.DEVNULL
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            [_RESTORECON, *map(os.fspath, paths)],
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            timeout=_TIMEOUT,
            check=False,
        )
