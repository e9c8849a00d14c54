# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progress of a job on standard error: a line per stage, with a bar where that is a terminal."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO

from dockmgrd.cli.output import columns
from dockmgrd.cli.text import harmless, padded, shortened

_END = "finished"
"""The stage of a job that has ended. What came of it is told by its state, not by a line here."""
_STAGE_CELLS = 12
_CLEAR_REST = "\x1b[K"


class Progress:
    """Shows nothing: the progress of a quiet command, and what the others have in common."""

    def __init__(self) -> None:
        self._stage = ""
        self._fraction = 0.0

    def show(self, stage: str, fraction: float, message: str) -> None:
        """Tell where the job is. A fraction below an earlier one is old news and passed over."""
        if stage == _END or not self._fraction <= fraction <= 1:
            return
        self._fraction = fraction
        stage, message = harmless(stage), harmless(message)
        if stage != self._stage:
            if self._stage:
                self._leave(self._stage, "done")
            self._enter(stage, message)
            self._stage = stage
        self._draw(stage, fraction, message)

    def end(self, outcome: str) -> None:
        """The job has ended, or is left alone: `outcome` is what became of the last stage."""
        if self._stage:
            self._leave(self._stage, outcome)
            self._stage = ""

    def _enter(self, stage: str, message: str) -> None:
        pass

    def _draw(self, stage: str, fraction: float, message: str) -> None:
        pass

    def _leave(self, stage: str, outcome: str) -> None:
        pass


class PlainProgress(Progress):
    """A line when a stage begins, for files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._told: set[str] = set()

    def _enter(self, stage: str, message: str) -> None:
        if stage in self._told:
            return
        self._told.add(stage)
        _write(self._stream, (f"{stage}: {message}" if message else stage) + "\n")


class BarProgress(Progress):
    """The line of the stage with a bar for the whole job, drawn in place, as wide as fits."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._full, self._empty = "█░" if _can_write(stream, "█░") else "#-"

    def _draw(self, stage: str, fraction: float, message: str) -> None:
        # One column stays free: a cursor past the last one makes some terminals begin a line.
        width = columns(self._stream) - 1
        length = min(40, width * 3 // 10)
        filled = int(fraction * length)
        bar = self._full * filled + self._empty * (length - filled)
        line = f"{padded(stage, _STAGE_CELLS)} {bar} {int(fraction * 100):3}%  {message}"
        _write(self._stream, f"\r{shortened(line.rstrip(), width)}{_CLEAR_REST}")

    def _leave(self, stage: str, outcome: str) -> None:
        width = columns(self._stream) - 1
        line = f"{padded(stage, _STAGE_CELLS)} {outcome}".rstrip()
        _write(self._stream, f"\r{shortened(line, width)}{_CLEAR_REST}\n")


def progress_on(stream: TextIO, *, quiet: bool) -> Progress:
    """The progress that fits the stream."""
    if quiet:
        return Progress()
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return BarProgress(stream)
    return PlainProgress(stream)


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _write(stream: TextIO, text: str) -> None:
    """Write at once. A reader who has gone away is no reason to stop following the job."""
    with suppress(OSError):
        stream.write(text)
        stream.flush()
