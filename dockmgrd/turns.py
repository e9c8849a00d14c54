# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that wait to be read: one of each user in turn, however many one of them sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dockmgrd.frames import Frame

_NOBODY = object()
_MOST_WAITING = 1024
_MOST_BYTES = 4 << 20


@dataclass
class _Line:
    frames: deque[Frame] = field(default_factory=deque)
    size: int = 0


class Turns:
    """A line for each user, bounded in number and bytes. Its length is that of all together."""

    def __init__(self) -> None:
        self._lines: dict[object, _Line] = {}
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, user: object, frame: Frame) -> bool:
        """Have the frame wait; False, and it does not, when the user has too much waiting."""
        line = self._lines.setdefault(user, _Line())
        full = len(line.frames) >= _MOST_WAITING or line.size + frame.length > _MOST_BYTES
        if full:
            return False
        line.frames.append(frame)
        line.size += frame.length
        self._waiting += 1
        return True

    def next(self, may_go_on: Callable[[object], bool] = lambda _: True) -> Frame | None:
        """The frame whose turn it is; None when nobody waits of those who may go on."""
        user = next(filter(may_go_on, self._lines), _NOBODY)
        if user is _NOBODY:
            return None
        line = self._lines.pop(user)
        frame = line.frames.popleft()
        line.size -= frame.length
        self._waiting -= 1
        if line.frames:
            self._lines[user] = line
        return frame

    def drop(self, sender: str) -> None:
        """Take away what the connection has waiting."""
        for user, line in list(self._lines.items()):
            kept = deque(each for each in line.frames if each.sender != sender)
            self._waiting -= len(line.frames) - len(kept)
            if len(kept) < len(line.frames):
                line.frames, line.size = kept, sum(each.length for each in kept)
                if not kept:
                    del self._lines[user]
