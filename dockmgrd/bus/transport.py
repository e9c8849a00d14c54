# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages in and out of a bus connection, fit for a daemon that strangers call.

dbus-next marshals and unmarshals. Its own transport is not used: its writer takes a full socket
buffer for a broken connection, which any local user can bring about by calling and not reading; it
reads without end while replies pile up; a message that it cannot read leaves it deaf; and one
user's calls stand in line before those of everybody else, each with a body that is read in Python.
So calls are read when it is their sender's turn, and never when they are too long.
"""

from __future__ import annotations

import logging
import socket
from collections import Counter, deque

from dockmgrd import errors
from dockmgrd.bus.dbusnext import Message
from dockmgrd.bus.fair_queue import Turns
from dockmgrd.bus.frames import METHOD_CALL, Frame, Frames, Malformed
from dockmgrd.bus.link import Link

logger = logging.getLogger(__name__)

LONGEST_CALL = 512 << 10
"""Bytes. The longest that makes sense is a list of mirrors to probe, with about half of that."""

_UNSENT_HIGH = 4 << 20
_UNSENT_LOW = 1 << 20
_BYTES_AT_ONCE = 64 << 10
_UNSENT_TO_A_USER = 16 << 10
_SOCKET_BUFFER = 16 << 10
"""Bytes. The bus takes little at a time; what lies in the socket already goes before all else."""


class _Writer:
    """What is still to be sent, in order. A socket that is full is waited for."""

    def __init__(self, bus: Transport) -> None:
        self._bus = bus
        self._queue: deque[tuple[bytes, object]] = deque()
        self._offset = 0
        self.unsent = 0
        self.unsent_to: Counter[object] = Counter()
        """Bytes by user, as far as users are known."""

    def add(self, message: Message) -> None:
        """Raises what marshalling raises when the body is not of its signature."""
        data = message._marshall(negotiate_unix_fd=False)
        user = self._bus.user_of(message.destination) if message.destination else None
        self.unsent += len(data)
        self.unsent_to[user] += len(data)
        self._queue.append((data, user))

    def write(self, to: socket.socket) -> None:
        """Send what the socket takes.

        :raises OSError: when the connection is broken.
        """
        try:
            while self._queue:
                data, user = self._queue[0]
                sent = to.send(memoryview(data)[self._offset :])
                self._offset += sent
                self._count_sent(user, sent)
                if self._offset < len(data):
                    return
                self._queue.popleft()
                self._offset = 0
        except BlockingIOError:
            return

    def _count_sent(self, user: object, size: int) -> None:
        self.unsent -= size
        self.unsent_to[user] -= size
        if not self.unsent_to[user]:
            del self.unsent_to[user]


class Transport(Link):
    """A connection to the system bus, or to the bus at `address`. Make it inside a running loop.

    Every message that arrives goes to `_on_message`.
    """

    def __init__(self, address: str | None = None) -> None:
        super().__init__(address)
        self._writer = _Writer(self)
        self._reading_paused = False
        self._frames = Frames(LONGEST_CALL)
        self._turns = Turns()
        self._turn_is_due = False
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)

    def send(self, msg: Message) -> None:
        """Queue a message; on a connection that has ended there is nobody to get it.

        Raises what marshalling raises when the body is not of its signature.
        """
        if self._disconnected:
            return
        if not msg.serial:
            msg.serial = self.next_serial()
        self._writer.add(msg)
        self._loop.add_writer(self._fd, self._write)

    def _write(self) -> None:
        try:
            self._writer.write(self._sock)
        except OSError as error:
            self._finalize(error)
            return
        if not self._writer.unsent:
            self._loop.remove_writer(self._fd)
        self._unsent_changed(self._writer.unsent)

    def _message_reader(self) -> None:
        """Take what has arrived. The event loop comes back for the rest, others first."""
        if self._reading_paused or self._disconnected:
            return
        try:
            data = self._sock.recv(_BYTES_AT_ONCE)
            if not data:
                raise EOFError("the bus closed the connection")
            self._turns.begin_round()
            for frame in self._frames.cut(data):
                self._on_frame(frame)
        except BlockingIOError:
            return
        except (OSError, EOFError, Malformed) as error:
            self._finalize(error)

    def _on_frame(self, frame: Frame) -> None:
        if frame.type != METHOD_CALL:
            if not frame.too_long and self.wants(frame):
                self._deliver(frame)
        elif frame.too_long:
            text = f"The message is longer than {LONGEST_CALL} bytes, more than any call may be."
            self._refuse(frame, errors.LimitsExceeded, text)
        else:
            user = self.user_of(frame.sender)
            if self._turns.is_newcomer(user):
                self._deliver(frame)
                return
            if not self._turns.add(user, frame):
                text = "Too many of your calls wait to be read; wait for replies in between."
                self._refuse(frame, errors.LimitsExceeded, text)
            self._schedule_turn()

    def _schedule_turn(self) -> None:
        if self._turns and not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Read one call, and have it done before the next: a round of the loop stays short."""
        self._turn_is_due = False
        frame = self._turns.next(self._may_go_on)
        if frame is not None:
            self._deliver(frame)
            self._schedule_turn()

    def _may_go_on(self, user: object) -> bool:
        """Whether the user has taken enough of what we have sent: replies stand in line too."""
        return bool(self._writer.unsent_to[user] <= _UNSENT_TO_A_USER)

    def take_all_turns(self) -> None:
        """Read every call that has arrived, however many wait."""
        while (frame := self._turns.next()) is not None:
            self._deliver(frame)

    def forget_caller(self, sender: str) -> None:
        """Read no call any more of a connection that has left: nobody is there for the reply."""
        self._turns.drop(sender)

    def wants(self, frame: Frame) -> bool:
        """Whether a message that is no call is worth being read."""
        return True

    def user_of(self, sender: str) -> object:
        """Who is behind the connection, as far as it is known: users take turns."""
        return sender

    def _on_message(self, message: Message) -> None:
        """Act on a message that has arrived."""
        raise NotImplementedError

    def _deliver(self, frame: Frame) -> None:
        try:
            message = frame.message()
        except Malformed as error:
            logger.debug("message %d of %s: %s", frame.serial, frame.sender, error)
            if frame.type == METHOD_CALL:
                self._refuse(frame, errors.InvalidArgs, "The message cannot be read.")
            return
        self._on_message(message)

    def _refuse(self, frame: Frame, error: type[errors.DockmgrError], text: str) -> None:
        if frame.wants_reply and frame.sender:
            self.send(frame.refusal(error.dbus_name, text))

    def _unsent_changed(self, unsent: int) -> None:
        if self._disconnected:
            return
        self._schedule_turn()
        if self._reading_paused and unsent < _UNSENT_LOW:
            self._reading_paused = False
            self._loop.add_reader(self._fd, self._message_reader)
        elif not self._reading_paused and unsent > _UNSENT_HIGH:
            self._reading_paused = True
            self._loop.remove_reader(self._fd)
