# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a probe of mirrors has found, as a table, which fills in on a terminal while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

from dockmgrd.cli.jobs import JobRecord
from dockmgrd.cli.output import columns
from dockmgrd.cli.text import harmless, shortened, size, table
from dockmgrd.model import Kind

_HEADER = ("MIRROR", "VERDICT", "ANSWER", "PULL", "SPEED", "REMARK")
_ERASE = "\x1b[J"


def lines(result: Mapping[str, Any], width: int | None) -> list[str]:
    """The table of what is found so far, best first."""
    rows = [_row(finding) for finding in result.get("probed", [])]
    return table(_HEADER, rows, width)


def best(result: Mapping[str, Any]) -> str:
    """The mirror to take; "" when none works and agrees with the others about the image."""
    for finding in result.get("probed", []):
        if finding.get("verdict") == "ok" and not finding.get("differs", False):
            return str(finding.get("mirror", ""))
    return ""


class LiveTable:
    """The table on a terminal, drawn anew in its place whenever there is more of it."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._drawn = 0
        self._wanted = not quiet and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def shows(self, job: JobRecord) -> bool:
        """Draw the job if it is a probe and this a terminal; say whether it is shown here."""
        if not self._wanted or job.kind != Kind.PROBE.value:
            return False
        if job.running:
            self._draw([*lines(job.result, None), harmless(job.message)])
        return True

    def clear(self) -> None:
        """Take the table away: the answer takes its place."""
        if self._drawn:
            self._write(f"\x1b[{self._drawn}A\r{_ERASE}")
            self._drawn = 0

    def _draw(self, texts: list[str]) -> None:
        """Draw as many of the lines as fit; the last one, which says how far it is, always."""
        height, width = _rows(self._stream) - 1, columns(self._stream) - 1
        shown = [*texts[: max(height - 1, 1)], texts[-1]] if len(texts) > height else texts
        back = f"\x1b[{self._drawn}A\r" if self._drawn else "\r"
        drawing = "".join(f"{shortened(text, width)}\x1b[K\n" for text in shown)
        self._write(back + drawing + _ERASE)
        self._drawn = len(shown)

    def _write(self, text: str) -> None:
        with suppress(OSError):  # A reader who has gone away is no reason to stop.
            self._stream.write(text)
            self._stream.flush()


def _row(finding: Mapping[str, Any]) -> tuple[str, ...]:
    speed = finding.get("throughput", 0.0)
    return (
        str(finding.get("mirror", "")),
        str(finding.get("verdict", "")),
        _time(finding.get("latency", 0.0)),
        _time(finding.get("seconds", 0.0)) if finding.get("verdict") == "ok" else "",
        f"{size(int(speed))}/s" if speed else "",
        str(finding.get("text", "")),
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds else ""


def _rows(stream: TextIO) -> int:
    """Height of the terminal as it is now."""
    try:
        return os.get_terminal_size(stream.fileno()).lines or 24
    except OSError:
        return 24
