# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a probe of mirrors has found, as a table, which fills in on a terminal while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

from dockmgrd.cli.i18n.translation import told
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.terminal import Screen, draws
from dockmgrd.cli.view.text import compact, harmless, size, table
from dockmgrd.model import Kind

_HEADER = ("MIRROR", "VERDICT", "ANSWER", "PULL", "SPEED", "REMARK")

NONE_WORKS = (
    "None of the mirrors works; the table says why, and 'dockmgrctl probe URL' tries another one."
)


def lines(result: Mapping[str, Any], width: int | None) -> list[str]:
    """The table of what is found so far, best first.

    Where room is scarce, the remarks shall have it: what no mirror has anything to show of is
    left out.
    """
    rows = [_row(finding) for finding in result.get("probed", [])]
    if width is None or not rows:
        return table(_HEADER, rows, width)
    return table(*compact(_HEADER, rows), width)


def best(result: Mapping[str, Any]) -> str:
    """The mirror to take; "" when none works and agrees with the others about the image."""
    for finding in result.get("probed", []):
        if finding.get("verdict") == "ok" and not finding.get("differs", False):
            return str(finding.get("mirror", ""))
    return ""


def any_works(result: Mapping[str, Any]) -> bool:
    """Whether an image can be pulled through one of the mirrors."""
    return any(finding.get("verdict") == "ok" for finding in result.get("probed", []))


class LiveTable:
    """The table on a terminal while it fills in."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._screen = Screen(stream)
        self._wanted = not quiet and draws(stream)

    def shows(self, job: JobRecord) -> bool:
        """Draw the job if it is a probe and this a terminal; say whether it is shown here."""
        if not self._wanted or job.kind != Kind.PROBE.value:
            return False
        if job.running:
            self._screen.draw([*lines(job.result, None), harmless(told(job.message))])
        return True

    def clear(self) -> None:
        self._screen.clear()


def _row(finding: Mapping[str, Any]) -> tuple[str, ...]:
    speed = finding.get("throughput", 0.0)
    return (
        str(finding.get("mirror", "")),
        told(str(finding.get("verdict", ""))),
        _time(finding.get("latency", 0.0)),
        _time(finding.get("seconds", 0.0)) if finding.get("verdict") == "ok" else "",
        f"{size(int(speed))}/s" if speed else "",
        told(str(finding.get("text", ""))),
    )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds else ""
