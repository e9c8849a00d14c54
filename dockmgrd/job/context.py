# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every kind of job works with: the services of the host, and its own progress."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from dockmgrd.codec import encode_record
from dockmgrd.enums import Stage
from dockmgrd.errors import redact
from dockmgrd.host.engine import Engine
from dockmgrd.host.installed_packages import InstalledPackages
from dockmgrd.host.systemd import Systemd
from dockmgrd.job.workers import Workers
from dockmgrd.messages.text import Text, foreign_text
from dockmgrd.model import NO_NUMBERS, JobRequest, Numbers, Progress
from dockmgrd.sd import protocols

_UPDATE_INTERVAL = 0.25  # each wakes systemd, the bus, the daemon and its clients


@dataclass
class JobContext:
    """The argument of the function that executes the job. `notes` are part of the result."""

    request: JobRequest
    systemd: Systemd
    engine: Engine
    notes: list[Text] = field(default_factory=list)
    packages: InstalledPackages = field(default_factory=InstalledPackages)
    temporary_folder: Path | None = None
    """Where package workers put temporary files; None for /tmp."""
    _progress: Progress = field(default_factory=Progress)
    _last_sent: float = 0.0
    _due: asyncio.TimerHandle | None = None
    _held: bool = False
    _cancel_requested: bool = False
    _task: asyncio.Task[object] | None = None

    @cached_property
    def workers(self) -> Workers:
        """Starts package workers. Close it when the job is over."""
        return Workers(self.temporary_folder)

    def add_note(self, note: Text | str) -> None:
        """Add a note for the user to the result."""
        self.notes.append(foreign_text(note) if isinstance(note, str) else note)

    def add_notes(self, notes: Iterable[Text | str]) -> None:
        """Add notes for the user to the result."""
        for note in notes:
            self.add_note(note)

    def report(
        self,
        stage: Stage,
        fraction: float,
        message: Text | str = "",
        numbers: Numbers = NO_NUMBERS,
    ) -> None:
        """Report where the job is: `fraction` of the whole, 0 to 1; it never decreases.

        A new stage is sent at once, anything else at most four times a second. The last report is
        always sent.
        """
        fraction = max(self._progress.fraction, min(fraction, 1.0))
        fresh = stage is not self._progress.stage
        text = foreign_text(message) if isinstance(message, str) else message
        self._progress = Progress(
            stage,
            fraction,
            text.map_values(redact),
            cancellable=not self._held,
            numbers=numbers,
        )
        wait = self._last_sent + _UPDATE_INTERVAL - time.monotonic()
        if fresh or wait <= 0:
            self._send()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(wait, self._send)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Ignore cancellation within the context, for work that must not be stopped halfway.

        :raises asyncio.CancelledError: on entry, if the job is already being canceled.
        """
        if self._cancel_requested:
            raise asyncio.CancelledError
        outer, self._held = self._held, True
        self._progress = replace(self._progress, cancellable=False)
        self._send()
        try:
            yield
        finally:
            self._held = outer

    def run_in(self, task: asyncio.Task[object]) -> None:
        """Set the task that `cancel` stops."""
        self._task = task

    def cancel(self) -> None:
        """Stop the job, unless it is in `hold` or committed: then it runs to its end."""
        if self._held:
            return
        self._cancel_requested = True
        if self._task is not None:
            self._task.cancel()

    def commit(self) -> None:
        """Ignore cancellation from now on: the work is done."""
        self._held = True
        self._progress = replace(self._progress, cancellable=False)
        self._send()

    def _send(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._last_sent = time.monotonic()
        protocols.notify("STATUS=" + json.dumps(encode_record(self._progress)))
