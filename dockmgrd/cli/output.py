# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard output and standard error: made fit to write to, their width, and JSON on them."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


def prepare() -> None:
    """Make it possible to write to both: one may be closed, or know fewer characters than we."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def discard_rest() -> None:
    """Let nothing more reach standard output, so that Python does not complain as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(data: Any) -> None:
    """The one document of --json, in ASCII: no text in it can steer a terminal."""
    import json  # --help needs none

    print(json.dumps(data, indent=2 if sys.stdout.isatty() else None))


def columns(stream: TextIO) -> int:
    """Width of the terminal behind the stream, as it is now; 80 where nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def answer_width() -> int | None:
    """Columns to lay out an answer in; None where no terminal limits it."""
    return columns(sys.stdout) if sys.stdout.isatty() else None
