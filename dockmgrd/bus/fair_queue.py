# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that wait to be read: one of each user in turn, however many one of them sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dockmgrd.bus.frames import Frame

_NOBODY = object()
A_CROWD = 8
"""Calls waiting, from which on it matters whose they are."""

_MOST_OF_A_CONNECTION = 1024
_MOST_OF_A_USER = 16384
_MOST_BYTES = 4 << 20


@dataclass
class _Line:
    """The calls of one user, by connection; these take turns too."""

    frames: dict[str, deque[Frame]] = field(default_factory=dict)
    count: int = 0
    size: int = 0

    def add(self, frame: Frame) -> bool:
        of_connection = self.frames.get(frame.sender, ())
        if (
            len(of_connection) >= _MOST_OF_A_CONNECTION
            or self.count >= _MOST_OF_A_USER
            or self.size + frame.length > _MOST_BYTES
        ):
            return False
        self.frames.setdefault(frame.sender, deque()).append(frame)
        self.count += 1
        self.size += frame.length
        return True

    def next(self) -> Frame:
        sender = next(iter(self.frames))
        waiting = self.frames.pop(sender)
        frame = waiting.popleft()
        if waiting:
            self.frames[sender] = waiting
        self.count -= 1
        self.size -= frame.length
        return frame

    def take_over(self, other: _Line) -> None:
        self.frames.update(other.frames)
        self.count += other.count
        self.size += other.size

    def drop(self, sender: str) -> None:
        dropped = self.frames.pop(sender, ())
        self.count -= len(dropped)
        self.size -= sum(each.length for each in dropped)


class Turns:
    """A line for each user, bounded in number and bytes. Its length is that of all together."""

    def __init__(self) -> None:
        self._lines: dict[object, _Line] = {}
        self._seen: set[object] = set()

    def begin_round(self) -> None:
        """More has arrived: who comes now for the first time is a newcomer again."""
        self._seen.clear()

    def is_newcomer(self, user: object) -> bool:
        """Whether the user need not wait: nothing of theirs does, and it is the first this round.

        In a crowd that is for users who are known by their id alone, or a flooder would take a
        new connection for each call.
        """
        known = isinstance(user, int) or len(self) <= A_CROWD
        if not known or user in self._lines or user in self._seen:
            return False
        self._seen.add(user)
        return True

    def __len__(self) -> int:
        return sum(line.count for line in self._lines.values())

    def add(self, user: object, frame: Frame) -> bool:
        """Have the frame wait; False, and it does not, when the user has too much waiting."""
        return self._lines.setdefault(user, _Line()).add(frame)

    def learn(self, sender: str, user: object) -> None:
        """The connection is this user's: what waits of it stands in the user's line from now on, or
        its next call would overtake it.
        """
        line = self._lines.pop(sender, None)
        if line is not None:
            self._lines.setdefault(user, _Line()).take_over(line)

    def next(self, may_go_on: Callable[[object], bool] = lambda _: True) -> Frame | None:
        """The frame whose turn it is; None when nobody waits of those who may go on."""
        user = next(filter(may_go_on, self._lines), _NOBODY)
        if user is _NOBODY:
            return None
        line = self._lines.pop(user)
        frame = line.next()
        if line.count:
            self._lines[user] = line
        return frame

    def drop(self, sender: str) -> None:
        """Take away what the connection has waiting."""
        for user, line in list(self._lines.items()):
            line.drop(sender)
            if not line.count:
                del self._lines[user]
