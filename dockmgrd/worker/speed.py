# SPDX-License-Identifier: LGPL-2.1-or-later
"""How far a download is, and how fast it comes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text
from dockmgrd.model import NO_NUMBERS, Numbers

_UPDATE_INTERVAL = 0.25  # A job reports no more of them. Seconds.
_MEASURED_TIME = 3.0  # Seconds.
_MB = 1e6


class Speed:
    """Measures a download by the bytes that have arrived."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, float]] = deque()
        self._numbers = NO_NUMBERS
        self._next_update = 0.0

    def measure(self, done: float, total: float, files_done: int, files: int) -> Numbers:
        """The figures for so many bytes of all, and so many files of all.

        They stay the same for a moment, unless a file has arrived since: each new one is an event
        for the job, and curl reports every packet.
        """
        now = self._clock()
        if self._samples and self._numbers.item == files_done and now < self._next_update:
            return self._numbers
        self._next_update = now + _UPDATE_INTERVAL
        self._samples.append((now, done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _MEASURED_TIME:
            self._samples.popleft()
        rate = round(self._rate())
        self._numbers = Numbers(round(done), round(total), rate, files_done, files)
        return self._numbers

    def _rate(self) -> float:
        """Bytes a second, of late."""
        (began, before), (now, done) = self._samples[0], self._samples[-1]
        return max(done - before, 0.0) / (now - began) if now > began else 0.0


def describe_download(numbers: Numbers) -> Text:
    """The figures as a sentence."""
    return messages.DOWNLOADED(
        done=f"{numbers.bytes_done / _MB:.1f}",
        total=f"{numbers.bytes_total / _MB:.1f}",
        rate=f"{numbers.rate / _MB:.1f}",
        item=numbers.item,
        items=numbers.items,
    )
