# SPDX-License-Identifier: LGPL-2.1-or-later
"""Long answers in a pager, as systemctl shows them: only on a terminal that is too low for them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from dockmgrd.cli.view.terminal import draws, rows

_LESS = "FRSXMK"  # systemd's choice: leave when all fits, colours, no wrapping, keep the screen
_ELEVATED = ("SUDO_UID", "PKEXEC_UID")


def show(lines: Sequence[str], *, paged: bool) -> None:
    """Print the lines, in a pager if that is wanted and of use."""
    text = "\n".join(lines)
    if not (paged and draws(sys.stdout) and len(lines) >= rows(sys.stdout) and _shown(text)):
        print(text)


def _shown(text: str) -> bool:
    """Whether a pager has shown it."""
    import shlex
    import subprocess

    command = shlex.split(_wanted())
    if command in ([], ["cat"]):
        return False
    # Who may run only dockmgrctl as root must not get a shell by it.
    options = {"LESS": os.environ.get("SYSTEMD_LESS", _LESS), "LESSSECURE": "1"}
    sys.stdout.flush()
    ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's.
    try:
        encoded = text.encode(sys.stdout.encoding, "replace")
        done = subprocess.run(
            command, input=encoded + b"\n", env={**os.environ, **options}, check=False
        )
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, ours)
    return done.returncode != 127


def _wanted() -> str:
    if any(name in os.environ for name in _ELEVATED):
        return "less"
    for name in ("SYSTEMD_PAGER", "PAGER"):
        if name in os.environ:
            return os.environ[name]
    return "less"
