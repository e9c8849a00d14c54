# SPDX-License-Identifier: LGPL-2.1-or-later
"""How far a download is, and how fast it comes, in a message."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_SECONDS_BETWEEN_MESSAGES = 0.25  # a job tells no more of them
_SECONDS_MEASURED = 3.0
_MB = 1e6


class Speed:
    """Measures a download by the bytes that it is told of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, float]] = deque()
        self._message = ""
        self._told: tuple[float, int] | None = None

    def message(self, here: float, total: float, ended: int, count: int) -> str:
        """The message for so many bytes of all, and so many files of all.

        It stays as it is for a moment, unless a file has ended since: each new one is an event for
        the job, and curl tells of every packet.
        """
        now = self._clock()
        if self._told and self._told[1] == ended and now < self._told[0]:
            return self._message
        self._told = (now + _SECONDS_BETWEEN_MESSAGES, ended)
        self._seen.append((now, here))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _SECONDS_MEASURED:
            self._seen.popleft()
        speed = self._speed()
        self._message = (
            f"{here / _MB:.1f} of {total / _MB:.1f} MB, {speed / _MB:.1f} MB/s, {ended} of {count}"
        )
        return self._message

    def _speed(self) -> float:
        """Bytes a second, of late."""
        (began, before), (now, here) = self._seen[0], self._seen[-1]
        return max(here - before, 0.0) / (now - began) if now > began else 0.0
