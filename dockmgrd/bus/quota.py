# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many of something one user or connection may have at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dockmgrd.errors import LimitsExceeded
from dockmgrd.messages import bus as messages
from dockmgrd.messages.text import Template


class Quota:
    """A limit for each holder: a user id, or the unique name of a connection.

    :param text: what to say to a holder at the limit; takes {holder} and {limit}.
    """

    def __init__(self, limit: int, text: Template) -> None:
        self._limit = limit
        self._text = text
        self._held: Counter[int | str] = Counter()

    @contextmanager
    def share(self, holder: int | str) -> Iterator[None]:
        """Count one for the holder within the context.

        :raises LimitsExceeded: if the holder is at the limit.
        """
        if self._held[holder] >= self._limit:
            text = self._text(holder=holder, limit=self._limit)
            raise LimitsExceeded(text.with_remedy(messages.WAIT_FOR_END()))
        self._held[holder] += 1
        try:
            yield
        finally:
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]
