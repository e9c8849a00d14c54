# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much of something one user may hold at a time, so that the others get theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dockmgrd.errors import LimitsExceeded


class Quota:
    """A limit for each holder: a user id, or a connection's unique name."""

    def __init__(self, limit: int, what: str) -> None:
        self._limit = limit
        self._what = what
        self._held: Counter[object] = Counter()

    @contextmanager
    def share(self, holder: object) -> Iterator[None]:
        """Hold one within the context.

        :raises LimitsExceeded: when the holder has as many as one may have.
        """
        if self._held[holder] >= self._limit:
            raise LimitsExceeded(
                f"{holder} has {self._limit} {self._what} already; wait until one has ended."
            )
        self._held[holder] += 1
        try:
            yield
        finally:
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]
