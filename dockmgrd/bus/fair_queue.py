# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that wait to be parsed: users take turns, however many calls one of them sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dockmgrd.bus.frames import Frame

CONGESTED = 8
"""With more calls than this in the queue, it matters which user sent them."""

_MAX_CALLS_PER_CONNECTION = 1024
_MAX_CALLS_PER_USER = 16384
_MAX_BYTES_PER_USER = 4 << 20
_NOBODY = object()


class _UserQueue:
    """The calls of one user, by connection. The connections take turns too."""

    def __init__(self) -> None:
        self.frames: dict[str, deque[Frame]] = {}
        self.count = 0
        self.size = 0
        """In bytes."""

    def add(self, frame: Frame) -> bool:
        """Return False, and do not add the frame, if the queue is full."""
        of_connection = self.frames.get(frame.sender, ())
        if (
            len(of_connection) >= _MAX_CALLS_PER_CONNECTION
            or self.count >= _MAX_CALLS_PER_USER
            or self.size + frame.length > _MAX_BYTES_PER_USER
        ):
            return False
        self.frames.setdefault(frame.sender, deque()).append(frame)
        self.count += 1
        self.size += frame.length
        return True

    def pop(self) -> Frame:
        sender = next(iter(self.frames))
        waiting = self.frames.pop(sender)
        frame = waiting.popleft()
        if waiting:
            self.frames[sender] = waiting
        self.count -= 1
        self.size -= frame.length
        return frame

    def merge(self, other: _UserQueue) -> None:
        self.frames.update(other.frames)
        self.count += other.count
        self.size += other.size

    def drop(self, sender: str) -> None:
        dropped = self.frames.pop(sender, ())
        self.count -= len(dropped)
        self.size -= sum(each.length for each in dropped)


class FairQueue:
    """A queue for each user, limited in calls and in bytes. The length counts all queues."""

    def __init__(self) -> None:
        self._queues: dict[object, _UserQueue] = {}
        self._skipped_this_round: set[object] = set()

    def begin_round(self) -> None:
        """Let each user skip the queue once more: more bytes have arrived."""
        self._skipped_this_round.clear()

    def may_skip_queue(self, user: object) -> bool:
        """Return whether the user's call need not wait, and note that it did not.

        That is so if none of the user's calls waits, and for the first call in a round. In a
        congested queue it is so for users whose id is known: otherwise one user could open a new
        connection for each call.

        :param user: a user id, or the unique name of a connection whose user is not known yet.
        """
        is_known = isinstance(user, int) or len(self) <= CONGESTED
        if not is_known or user in self._queues or user in self._skipped_this_round:
            return False
        self._skipped_this_round.add(user)
        return True

    def __len__(self) -> int:
        return sum(queue.count for queue in self._queues.values())

    def add(self, user: object, frame: Frame) -> bool:
        """Return False, and do not add the frame, if the user's queue is full."""
        return self._queues.setdefault(user, _UserQueue()).add(frame)

    def set_user(self, sender: str, user: object) -> None:
        """Move the calls of the connection to its user's queue.

        The next call of the connection goes there too, and must not overtake them.
        """
        queue = self._queues.pop(sender, None)
        if queue is not None:
            self._queues.setdefault(user, _UserQueue()).merge(queue)

    def pop(self, is_ready: Callable[[object], bool] = lambda _: True) -> Frame | None:
        """Return the next frame of the users that are ready; None if they have none."""
        user = next(filter(is_ready, self._queues), _NOBODY)
        if user is _NOBODY:
            return None
        queue = self._queues.pop(user)
        frame = queue.pop()
        if queue.count:
            self._queues[user] = queue
        return frame

    def drop(self, sender: str) -> None:
        """Drop all calls of the connection."""
        for user, queue in list(self._queues.items()):
            queue.drop(sender)
            if not queue.count:
                del self._queues[user]
