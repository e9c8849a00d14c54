# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a probe of mirrors has found, as a table, which fills in on a terminal while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

from dockmgrd.cli.i18n.translation import _, translate_message
from dockmgrd.cli.i18n.words import VERDICTS, translate_word
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.terminal import Screen, can_redraw
from dockmgrd.cli.view.text import drop_empty_columns, format_size, format_table, harmless
from dockmgrd.enums import Kind


def format_probe(result: Mapping[str, Any], width: int | None) -> list[str]:
    """Return the table of the results so far, the best first.

    On a terminal, columns in which no mirror has a value are left out, for the sake of the details.
    """
    rows = [_make_row(each) for each in result.get("probed", [])]
    header = (
        *(_("MIRROR"), _("RESULT"), _("LATENCY")),
        *(_("PULL"), _("SPEED"), _("DETAILS")),
    )
    if width is None or not rows:
        return format_table(header, rows, width)
    return format_table(*drop_empty_columns(header, rows), width)


def format_measured_sources(result: Mapping[str, Any], width: int | None) -> list[str]:
    """Return the table of the measured sources, the best first."""
    rows = [
        (
            str(each.get("source", "")),
            _("out of date")
            if each.get("stale")
            else translate_word(VERDICTS, str(each.get("verdict", ""))),
            _format_time(each.get("latency", 0.0)),
            _format_speed(each.get("throughput", 0.0)),
            _format_metadata_age(each["age"]) if "age" in each else "",
            translate_message(each.get("cause") or str(each.get("text", ""))),
        )
        for each in result.get("measured", [])
    ]
    header = (_("SOURCE"), _("RESULT"), _("LATENCY"), _("SPEED"), _("AGE"), _("DETAILS"))
    return format_table(header, rows, width)


def choose_best(result: Mapping[str, Any]) -> str:
    """Return the mirror to set; "" if none works and serves the same image as the others."""
    for each in result.get("probed", []):
        if each.get("verdict") == "ok" and not each.get("differs", False):
            return str(each.get("mirror", ""))
    return ""


def has_usable_source(result: Mapping[str, Any]) -> bool:
    """Return whether packages can be had from one of the sources."""
    return any(each.get("usable", False) for each in result.get("measured", []))


def has_working_mirror(result: Mapping[str, Any]) -> bool:
    """Return whether an image can be pulled through one of the mirrors."""
    return any(each.get("verdict") == "ok" for each in result.get("probed", []))


class LiveTable:
    """The table on a terminal while it fills in."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._screen = Screen(stream)
        self._is_wanted = not quiet and can_redraw(stream)

    def show(self, job: JobRecord) -> bool:
        """Draw the job if it is a probe and this a terminal; return whether it is shown here."""
        if not self._is_wanted or job.kind != Kind.PROBE.value:
            return False
        if job.is_running:
            lines = format_probe(job.result, None) if job.result.get("probed") else []
            self._screen.draw([*lines, _describe_progress(job)])
        return True

    def clear(self) -> None:
        """Remove the table: the answer takes its place."""
        self._screen.clear()


def _describe_progress(job: JobRecord) -> str:
    if job.message:
        return harmless(translate_message(job.progress_message))
    return _("Trying the mirrors…")


def _make_row(probed: Mapping[str, Any]) -> tuple[str, ...]:
    speed = probed.get("throughput", 0.0)
    return (
        str(probed.get("mirror", "")),
        translate_word(VERDICTS, str(probed.get("verdict", ""))),
        _format_time(probed.get("latency", 0.0)),
        _format_time(probed.get("seconds", 0.0)) if probed.get("verdict") == "ok" else "",
        _format_speed(speed),
        translate_message(probed.get("cause") or str(probed.get("text", ""))),
    )


def _format_time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds else ""


def _format_speed(speed: float) -> str:
    return f"{format_size(int(speed))}/s" if speed else ""


def _format_metadata_age(seconds: int) -> str:
    hours = seconds // 3600
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h"
