# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progress of a job on standard error: a line for each stage, with a bar on a terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, TextIO

from dockmgrd.cli.i18n.translation import _, translate_message
from dockmgrd.cli.i18n.words import STAGES, translate_word
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.terminal import (
    PLAIN,
    Paint,
    can_redraw,
    can_write,
    choose_paint,
    get_columns,
    write,
)
from dockmgrd.cli.view.text import cells, harmless, pad, shorten

_END = "finished"
"""The stage of a job that has ended. Its state shows the outcome, not a line here."""
_STAGE_CELLS = 12
_CLEAR_REST = "\x1b[K"
_CLEAR_BELOW = "\x1b[J"


class Progress:
    """The progress of a quiet command, which shows nothing, and what the others have in common."""

    def __init__(self) -> None:
        self._stage = ""
        self._fraction = 0.0

    def update(self, job: JobRecord) -> None:
        """Show the present stage of the job."""
        self.show(job.stage, job.progress, translate_message(job.progress_message))

    def show(self, stage: str, fraction: float, message: str) -> None:
        """Show a stage. A fraction below an earlier one is outdated, and ignored.

        :param message: in the user's language.
        """
        if stage == _END or not self._fraction <= fraction <= 1:
            return
        self._fraction = fraction
        stage, message = harmless(translate_word(STAGES, stage)), harmless(message)
        if stage != self._stage:
            if self._stage:
                self._leave(self._stage, _("done"))
            self._enter(stage, message)
            self._stage = stage
        self._draw(stage, fraction, message)

    def end(self, outcome: str) -> None:
        """Close the last stage: the job has ended, or is no longer followed.

        :param outcome: of the stage, in the user's language.
        """
        if self._stage:
            self._leave(self._stage, outcome)
            self._stage = ""

    def redraw(self) -> None:
        """Draw again after the size of the terminal has changed."""

    def _enter(self, stage: str, message: str) -> None:
        pass

    def _draw(self, stage: str, fraction: float, message: str) -> None:
        pass

    def _leave(self, stage: str, outcome: str) -> None:
        pass


class PlainProgress(Progress):
    """A line with the time when a stage begins, for files and pipes."""

    def __init__(self, stream: TextIO, source: str = "") -> None:
        super().__init__()
        self._stream = stream
        self._lead = f"{source}: " if source else ""
        self._entered: set[str] = set()

    def _enter(self, stage: str, message: str) -> None:
        if stage in self._entered:
            return
        self._entered.add(stage)
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        text = f"{stage}: {message}" if message else stage
        write(self._stream, f"{self._lead}{now} {text}\n")


class JsonProgress(Progress):
    """A JSON object in a line whenever the job has moved, its end included."""

    def __init__(self, stream: TextIO, host: str = "") -> None:
        super().__init__()
        self._stream = stream
        self._host = {"host": host} if host else {}
        self._last: Mapping[str, Any] = {}

    def update(self, job: JobRecord) -> None:
        now = {
            **self._host,
            "job": job.job_id,
            "kind": job.kind,
            "state": job.state,
            "stage": job.stage,
            "progress": round(job.progress, 4),
            "message": job.message,
        }
        if now != self._last:
            self._last = now
            write(self._stream, json.dumps(now) + "\n")


class BarProgress(Progress):
    """The line of the stage with a bar for the whole job, drawn in place, as wide as fits."""

    def __init__(self, stream: TextIO, paint: Paint = PLAIN) -> None:
        super().__init__()
        self._stream = stream
        self._paint = paint
        self._full, self._empty = "█░" if can_write(stream, "█░") else "#-"
        self._message = ""
        self._drawn = 0

    def redraw(self) -> None:
        # A line that has become too long continues on the lines below.
        above = (self._drawn - 1) // max(get_columns(self._stream), 1) if self._drawn else 0
        if self._stage:
            write(self._stream, (f"\x1b[{above}A" if above else "") + f"\r{_CLEAR_BELOW}")
            self._draw(self._stage, self._fraction, self._message)

    def _draw(self, stage: str, fraction: float, message: str) -> None:
        self._message = message
        # One column stays free: a cursor past the last one makes some terminals begin a line.
        width = get_columns(self._stream) - 1
        line = (
            f"{_pad_stage(stage)}{format_bar(width, fraction, self._full + self._empty)}  {message}"
        )
        line = shorten(line.rstrip(), width)
        self._drawn = cells(line)
        done = self._full * line.count(self._full)
        painted = line.replace(done, self._paint.format_good(done), 1) if done else line
        write(self._stream, f"\r{painted}{_CLEAR_REST}")

    def _leave(self, stage: str, outcome: str) -> None:
        width = get_columns(self._stream) - 1
        line = f"{_pad_stage(stage)}{outcome}".rstrip()
        write(self._stream, f"\r{shorten(line, width)}{_CLEAR_REST}\n")
        self._drawn = 0


def choose_progress(stream: TextIO, *, quiet: bool, as_json: bool = False) -> Progress:
    """Return the progress that suits the stream."""
    if quiet:
        return Progress()
    if as_json:
        return JsonProgress(stream)
    return (
        BarProgress(stream, choose_paint(stream)) if can_redraw(stream) else PlainProgress(stream)
    )


def format_bar(width: int, fraction: float, blocks: str) -> str:
    """Return a bar and its percentage, in a part of these columns that leaves room for a message.

    :param blocks: what stands for a full and for an empty column.
    """
    length = min(40, max(6, (width - 30) * 46 // 100))
    filled = int(fraction * length)
    return f"{blocks[0] * filled}{blocks[1] * (length - filled)} {int(fraction * 100):3}%"


def _pad_stage(stage: str) -> str:
    return f"{pad(stage, _STAGE_CELLS)} "
