# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages to and from the bus, for a daemon that any local user can call.

dbus-next marshals and unmarshals. We do not use its transport: it takes a full socket buffer for a
broken connection (https://github.com/altdesktop/python-dbus-next/issues/153), which any local user
can cause by calling and not reading; it reads without limit while replies pile up; a message that
it cannot parse stops it; and the calls of one user delay those of all others. Here each call is
parsed in its sender's turn, and calls that are too long are not parsed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from dockmgrd import errors
from dockmgrd.bus.dbusnext import Message, marshal
from dockmgrd.bus.fair_queue import CONGESTED, FairQueue
from dockmgrd.bus.frames import METHOD_CALL, Frame, FrameSplitter, Malformed
from dockmgrd.bus.link import Link
from dockmgrd.bus.router import Router
from dockmgrd.messages import bus as messages

logger = logging.getLogger(__name__)

MAX_CALL_BYTES = 512 << 10
"""The longest call that makes sense is a list of mirrors to probe, with about half of this."""

_MAX_UNSENT_BYTES_PER_USER = 16 << 10


class Transport:
    """Messages on a connected bus socket. Create it inside a running loop.

    :param router: gets the replies and signals that it wants.
    :param on_call: gets each method call.
    :param on_refuse: gets the sender of a call that is not parsed, and the error in the reply.
    :param find_user: returns the user id of a unique name, or the name if it is not known.
    """

    def __init__(
        self,
        sock: socket.socket,
        router: Router,
        *,
        on_call: Callable[[Message], None],
        on_refuse: Callable[[str, errors.DockmgrError], None],
        find_user: Callable[[str], object],
    ) -> None:
        self.link = Link(
            sock, on_data=self._on_data, on_sent=self._schedule_turn, on_end=router.close
        )
        self._router = router
        self._on_call = on_call
        self._on_refuse = on_refuse
        self._find_user = find_user
        self._splitter = FrameSplitter(MAX_CALL_BYTES)
        self._calls = FairQueue()
        self._is_turn_scheduled = False

    @property
    def is_congested(self) -> bool:
        """Whether so many calls wait that it matters which user sent them."""
        return len(self._calls) > CONGESTED

    def send(self, message: Message) -> None:
        """Queue a message that has a serial; without effect if the connection has ended.

        :raises Exception: as `marshal`.
        """
        if not self.link.has_ended:
            user = self._find_user(message.destination) if message.destination else None
            self.link.write(marshal(message), user)

    def deliver_waiting_calls(self) -> None:
        """Parse and deliver every call that has arrived."""
        while (frame := self._calls.pop()) is not None:
            self._deliver(frame)

    def drop_calls(self, sender: str) -> None:
        """Drop the waiting calls of a connection: it has left, so nobody needs the replies."""
        self._calls.drop(sender)

    def set_user(self, sender: str, user: int) -> None:
        """Set the user of the connection, whose calls then wait with the user's other calls."""
        self._calls.set_user(sender, user)

    def _on_data(self, data: bytes) -> None:
        self._calls.begin_round()
        try:
            for frame in self._splitter.split(data):
                self._on_frame(frame)
        except Malformed as error:
            raise ConnectionAbortedError(str(error)) from error

    def _on_frame(self, frame: Frame) -> None:
        if frame.type != METHOD_CALL:
            if self._router.wants(frame):
                self._deliver(frame)
            return
        if frame.too_long:
            text = messages.CALL_TOO_LONG(limit=MAX_CALL_BYTES)
            self._refuse(frame, errors.LimitsExceeded(text))
            return
        user = self._find_user(frame.sender)
        if self._calls.may_skip_queue(user):
            self._deliver(frame)
            return
        if not self._calls.add(user, frame):
            text = messages.TOO_MANY_UNREAD_CALLS().with_remedy(messages.WAIT_FOR_REPLIES())
            self._refuse(frame, errors.LimitsExceeded(text))
        self._schedule_turn()

    def _schedule_turn(self) -> None:
        if self._calls and not self._is_turn_scheduled and not self.link.has_ended:
            self._is_turn_scheduled = True
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Deliver one call, and let the loop do other work before the next one."""
        self._is_turn_scheduled = False
        frame = self._calls.pop(self._has_read_replies)
        if frame is not None:
            self._deliver(frame)
            self._schedule_turn()

    def _has_read_replies(self, user: object) -> bool:
        """Return whether the user has read enough of the replies to get more."""
        return self.link.count_unsent_bytes(user) <= _MAX_UNSENT_BYTES_PER_USER

    def _deliver(self, frame: Frame) -> None:
        try:
            message = frame.parse()
        except Malformed as error:
            logger.debug("message %d of %s: %s", frame.serial, frame.sender, error)
            if frame.type == METHOD_CALL:
                self._refuse(frame, errors.InvalidArgs(messages.CALL_UNREADABLE()))
            return
        if frame.type == METHOD_CALL:
            self._on_call(message)
        else:
            self._router.dispatch(message)

    def _refuse(self, frame: Frame, error: errors.DockmgrError) -> None:
        if frame.wants_reply and frame.sender:
            self._on_refuse(frame.sender, error)
            reply = frame.make_error_reply(error.dbus_name, error.message)
            reply.serial = self._router.next_serial()
            self.send(reply)
