# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every kind of job works with: the host's services, and the way to say how far it is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import systemd.daemon

from dockmgrd.errors import redacted
from dockmgrd.host.engine import Engine
from dockmgrd.host.systemd import Systemd
from dockmgrd.messages.text import Text, foreign_text
from dockmgrd.model import NO_NUMBERS, JobRequest, Numbers, Progress, Stage

if TYPE_CHECKING:
    from dockmgrd.catalog.sources import Catalog
    from dockmgrd.job.workers import Workers

_SECONDS_BETWEEN_UPDATES = 0.25  # each wakes systemd, the bus, the daemon and its clients


@dataclass
class JobContext:
    """Handed to the function that does the job. `notes` ends up in the result, for the user."""

    request: JobRequest
    systemd: Systemd
    engine: Engine
    notes: list[Text] = field(default_factory=list)
    _progress: Progress = field(default_factory=Progress)
    _told_at: float = 0.0
    _due: asyncio.TimerHandle | None = None
    _held: bool = False
    _cancel_wanted: bool = False
    _task: asyncio.Task[object] | None = None

    @cached_property
    def catalog(self) -> Catalog:
        """The sources and distributions, read when somebody asks: not every job does."""
        from dockmgrd.catalog.sources import Catalog

        return Catalog.load()

    @cached_property
    def workers(self) -> Workers:
        """Where package workers come from; close it when the job is over."""
        from dockmgrd.job.workers import Workers

        return Workers()

    def add_note(self, note: Text | str) -> None:
        """Have the result say something that the user should know."""
        self.notes.append(foreign_text(note) if isinstance(note, str) else note)

    def add_notes(self, notes: Iterable[Text | str]) -> None:
        """Have the result say all of these."""
        for note in notes:
            self.add_note(note)

    def report(
        self,
        stage: Stage,
        fraction: float,
        message: Text | str = "",
        numbers: Numbers = NO_NUMBERS,
    ) -> None:
        """Tell where the job is: `fraction` of the whole, 0 to 1; it never goes back.

        A new stage is told at once, anything else at most four times a second: what comes in
        between is told when its time has come, and the last of it is never left out.
        """
        fraction = max(self._progress.fraction, min(fraction, 1.0))
        fresh = stage is not self._progress.stage
        text = foreign_text(message) if isinstance(message, str) else message
        self._progress = Progress(
            stage,
            fraction,
            text.map_values(redacted),
            cancellable=not self._held,
            numbers=numbers,
        )
        wait = self._told_at + _SECONDS_BETWEEN_UPDATES - time.monotonic()
        if fresh or wait <= 0:
            self._tell()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(wait, self._tell)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Around what must not be stopped half-way: a wish to cancel waits until it is over.

        :raises asyncio.CancelledError: at its start, when the job is being cancelled already.
        """
        if self._cancel_wanted:
            raise asyncio.CancelledError
        outer, self._held = self._held, True
        self._progress = replace(self._progress, cancellable=False)
        self._tell()
        try:
            yield
        finally:
            self._held = outer

    def run_in(self, task: asyncio.Task[object]) -> None:
        """Name the task that a wish to cancel stops."""
        self._task = task

    def cancel(self) -> None:
        """Stop the job if it can be stopped now; what is held goes on, and so the job ends done."""
        if self._held:
            return
        self._cancel_wanted = True
        if self._task is not None:
            self._task.cancel()

    def commit(self) -> None:
        """The work is done: from now on it is too late to cancel."""
        self._held = True
        self._progress = replace(self._progress, cancellable=False)
        self._tell()

    def _tell(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._told_at = time.monotonic()
        systemd.daemon.notify("STATUS=" + json.dumps(self._progress.to_json()))
