# SPDX-License-Identifier: LGPL-2.1-or-later
"""Long answers in a pager, as systemctl does: only on a terminal with too few lines for them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence

from dockmgrd.cli.view.terminal import can_redraw, get_rows

_LESS = "FRSXMK"  # as systemd has it: quit if all fits, colors, no wrapping, keep the screen
_ELEVATED = ("SUDO_UID", "PKEXEC_UID")


def show_lines(lines: Sequence[str]) -> None:
    """Print the lines, in a pager if they do not fit on the terminal."""
    text = "\n".join(lines)
    too_long = can_redraw(sys.stdout) and len(lines) >= get_rows(sys.stdout)
    if not (too_long and _run_pager(text)):
        print(text)


def _run_pager(text: str) -> bool:
    """Return whether a pager has shown the text."""
    command = shlex.split(_get_command())
    if command in ([], ["cat"]):
        return False
    # A user who may run only dockmgrctl as root must not get a shell from the pager.
    options = {"LESS": os.environ.get("SYSTEMD_LESS", _LESS), "LESSSECURE": "1"}
    sys.stdout.flush()
    ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the pager.
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


def _get_command() -> str:
    if any(name in os.environ for name in _ELEVATED):
        return "less"
    for name in ("SYSTEMD_PAGER", "PAGER"):
        if name in os.environ:
            return os.environ[name]
    return "less"
