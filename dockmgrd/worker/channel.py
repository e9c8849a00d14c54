# SPDX-License-Identifier: LGPL-2.1-or-later
"""The worker's side of the protocol."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from dockmgrd.enums import Stage
from dockmgrd.messages.text import Text, foreign_text
from dockmgrd.model import NO_NUMBERS, Numbers
from dockmgrd.worker.parent import die_with_parent, outlive_parent
from dockmgrd.worker.protocol import (
    PROCEED,
    Change,
    Event,
    Outcome,
    ProgressEvent,
    Request,
    ResolvedEvent,
    WritingEvent,
    decode_request,
    encode,
)

_MIN_STEP = 0.01
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Channel:
    """Reads the request and sends events. Nothing else in the process can write into it."""

    def __init__(self, requests: BinaryIO, events: BinaryIO) -> None:
        self._requests = requests
        self._events = events
        self.committed = False
        """Whether the job agreed that rpm writes: from then on nothing stops the process."""
        self._last = ProgressEvent(Stage.PREPARING, 0.0)

    @classmethod
    def take_over(cls) -> Channel:
        """Keep standard input and output for the protocol.

        The output of dnf, its plugins and the scriptlets of packages goes to standard error, and
        their input is empty. Signals end the process at once, as systemd expects, and so does the
        end of the job.
        """
        requests, events = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.close(nothing)
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        die_with_parent()
        return cls(os.fdopen(requests, "rb"), os.fdopen(events, "wb"))

    def receive(self) -> Request:
        """Wait for the request; the process exits when the job closes the pipe without one.

        :raises ValueError: when the line is not a request.
        """
        line = self._requests.readline()
        if not line:
            raise SystemExit(1)
        return decode_request(line)

    def progress(
        self,
        stage: Stage,
        fraction: float,
        message: Text | str = "",
        numbers: Numbers = NO_NUMBERS,
    ) -> None:
        """Report how far the stage is. A step too small to be seen is not sent.

        :param fraction: of the stage, 0 to 1.
        """
        text = foreign_text(message) if isinstance(message, str) else message
        event = ProgressEvent(stage, max(0.0, min(fraction, 1.0)), text, numbers)
        if event.stage == self._last.stage:
            step = event.fraction - self._last.fraction
            if step < _MIN_STEP and (step < 0 or event.message == self._last.message):
                return
        self._last = event
        self._send(event)

    def waiting(self, message: Text | str) -> None:
        """Report what is waited for, in the stage that the work is at."""
        before = self._last.stage is Stage.PREPARING
        stage = Stage.METADATA if before else self._last.stage
        self.progress(stage, self._last.fraction, message)

    def finish(self, outcome: Outcome) -> None:
        """Send the last event."""
        self._send(outcome)

    def ask_consent(self, changes: Sequence[Change], notes: Sequence[Text] = ()) -> None:
        """Report what will be done, and return when the job agrees; else the process exits.

        :param notes: what a plan should say beside the changes.
        """
        self._send(ResolvedEvent(tuple(changes), tuple(notes)))
        if self._requests.readline() != PROCEED:
            raise SystemExit(1)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Enter the part that must not be stopped, once the job agrees.

        A job that is being canceled, or has ended, does not agree: the process exits, and nothing
        was written.
        """
        self._send(WritingEvent(writing=True))
        if self._requests.readline() != PROCEED:
            raise SystemExit(1)
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
        outlive_parent()
        self.committed = True
        try:
            yield
        finally:
            self._send(WritingEvent(writing=False))

    def _send(self, event: Event) -> None:
        try:
            self._events.write(encode(event))
            self._events.flush()
        except BrokenPipeError:
            # The job is gone, and nobody waits for us. dnf would swallow an exception here: we may
            # be below one of its callbacks.
            if not self.committed:
                os._exit(1)
