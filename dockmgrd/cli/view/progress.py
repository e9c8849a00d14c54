# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progress of a job on standard error: a line per stage, with a bar where that is a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, TextIO

from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.terminal import PLAIN, Paint, can_write, columns, draws, paint_on, write
from dockmgrd.cli.view.text import cells, harmless, padded, shortened

_END = "finished"
"""The stage of a job that has ended. What came of it is told by its state, not by a line here."""
_STAGE_CELLS = 12
_CLEAR_REST = "\x1b[K"
_CLEAR_BELOW = "\x1b[J"


class Progress:
    """Shows nothing: the progress of a quiet command, and what the others have in common."""

    def __init__(self) -> None:
        self._stage = ""
        self._fraction = 0.0

    def moved(self, job: JobRecord) -> None:
        """Tell where the job is now."""
        self.show(job.stage, job.progress, job.message)

    def show(self, stage: str, fraction: float, message: str) -> None:
        """Tell where the job is. A fraction below an earlier one is old news and passed over."""
        if stage == _END or not self._fraction <= fraction <= 1:
            return
        self._fraction = fraction
        stage, message = harmless(told(stage)), harmless(told(message))
        if stage != self._stage:
            if self._stage:
                self._leave(self._stage, _("done"))
            self._enter(stage, message)
            self._stage = stage
        self._draw(stage, fraction, message)

    def end(self, outcome: str) -> None:
        """The job has ended, or is left alone: `outcome` is what became of the last stage."""
        if self._stage:
            self._leave(self._stage, told(outcome))
            self._stage = ""

    def redraw(self) -> None:
        """The terminal has another size now."""

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
        self._told: set[str] = set()

    def _enter(self, stage: str, message: str) -> None:
        if stage in self._told:
            return
        self._told.add(stage)
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

    def moved(self, job: JobRecord) -> None:
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
            import json

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
        # A line that has become too long goes on in the lines below its first.
        above = (self._drawn - 1) // max(columns(self._stream), 1) if self._drawn else 0
        if self._stage:
            write(self._stream, (f"\x1b[{above}A" if above else "") + f"\r{_CLEAR_BELOW}")
            self._draw(self._stage, self._fraction, self._message)

    def _draw(self, stage: str, fraction: float, message: str) -> None:
        self._message = message
        # One column stays free: a cursor past the last one makes some terminals begin a line.
        width = columns(self._stream) - 1
        line = f"{_head(stage)}{bar(width, fraction, self._full + self._empty)}  {message}"
        line = shortened(line.rstrip(), width)
        self._drawn = cells(line)
        done = self._full * line.count(self._full)
        painted = line.replace(done, self._paint.good(done), 1) if done else line
        write(self._stream, f"\r{painted}{_CLEAR_REST}")

    def _leave(self, stage: str, outcome: str) -> None:
        width = columns(self._stream) - 1
        line = f"{_head(stage)}{outcome}".rstrip()
        write(self._stream, f"\r{shortened(line, width)}{_CLEAR_REST}\n")
        self._drawn = 0


def progress_on(stream: TextIO, *, quiet: bool, as_json: bool = False) -> Progress:
    """The progress that fits the stream."""
    if quiet:
        return Progress()
    if as_json:
        return JsonProgress(stream)
    return BarProgress(stream, paint_on(stream)) if draws(stream) else PlainProgress(stream)


def bar(width: int, fraction: float, blocks: str) -> str:
    """A bar and its percentage, in the part of so many columns that leaves room for a message.

    :param blocks: what stands for a full and for an empty column.
    """
    length = min(40, max(6, (width - 30) * 46 // 100))
    filled = int(fraction * length)
    return f"{blocks[0] * filled}{blocks[1] * (length - filled)} {int(fraction * 100):3}%"


def _head(stage: str) -> str:
    return f"{padded(stage, _STAGE_CELLS)} "
