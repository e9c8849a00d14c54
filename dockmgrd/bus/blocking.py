# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to the system bus for who waits for one thing at a time.

A command has no use for an event loop, and to load one would take longer than most answers do.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Optional

from dockmgrd.bus.auth import Introduction, connected
from dockmgrd.bus.dbusnext import AuthError, Message, MessageFlag
from dockmgrd.bus.frames import SIGNAL, Frame, Frames, Malformed
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match, method_call, values
from dockmgrd.errors import NoReply, RemoteError

_LONGEST_SIGNAL = 1 << 20
_BYTES_AT_ONCE = 64 << 10
_ENDED = "The connection to the system bus ended."

SignalHandler = Callable[[Message], None]
Readable = Callable[[int, Optional[float]], bool]
"""Waits until a descriptor can be read; False when the seconds are over."""


class Pending:
    """A call whose reply is still to come, or is there."""

    def __init__(self, message: Message) -> None:
        self.call = message
        self.reply: Message | None = None


class Connection:
    """The connection. Whatever arrives is looked at while something is waited for.

    :param readable: how to wait, which is the program's matter.
    :param seconds: what all calls on it may take together; None leaves each to its own.

    :raises OSError, AuthError: when it cannot be made.
    """

    def __init__(self, readable: Readable, seconds: float | None = None) -> None:
        self._readable = readable
        self._end = None if seconds is None else time.monotonic() + seconds
        self._socket = _introduced(readable)
        self._frames = Frames(_LONGEST_SIGNAL)
        self._serial = 0
        self._pending: dict[int, Pending] = {}
        self._subscriptions: list[tuple[Match, SignalHandler]] = []
        self._owners: dict[str, str] = {}
        self.ended = False
        """Whether the bus has closed it."""
        [self.unique_name] = self.call_bus("Hello")

    def close(self) -> None:
        """Leave the bus."""
        self.ended = True
        self._socket.close()

    def call(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        timeout: float | None = 25.0,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> list[Any]:
        """Call a method and return its values.

        :param timeout: seconds to wait; None waits for as long as the connection lives.
        :raises RemoteError: when the reply is an error.
        :raises NoReply: when none comes in time, or the connection ends.
        """
        pending = self.begin(destination, path, interface, member, signature, body, flags=flags)
        ends = [] if timeout is None else [time.monotonic() + timeout]
        deadline = min([*ends, *([] if self._end is None else [self._end])], default=None)
        try:
            while pending.reply is None:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if not self.hear(left):
                    raise NoReply(f"{destination} did not answer {member} in time.")
        finally:
            self.forget(pending)
        return values(pending.reply)

    def begin(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> Pending:
        """Call a method; its reply comes while `hear` is called.

        :raises NoReply: when the connection has ended.
        """
        message = method_call(destination, path, interface, member, signature, body, flags)
        self._serial += 1
        message.serial = self._serial
        pending = self._pending[self._serial] = Pending(message)
        self._send(message)
        return pending

    def forget(self, pending: Pending) -> None:
        """Have the reply ignored."""
        self._pending.pop(pending.call.serial, None)

    def call_bus(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        """Call a method of the bus itself; raises as `call` does."""
        return self.call(DBUS, DBUS_PATH, DBUS, member, signature, body)

    def subscribe(self, match: Match, handler: SignalHandler) -> None:
        """Have the handler called, from within `hear`, for each signal that fits.

        Signals are taken from the owner of `match.sender` alone: any local user can send us some.
        """
        name = match.sender
        if name != DBUS and name not in self._owners:
            self._owners[name] = ""
            change = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, name)
            self.subscribe(change, self._on_owner_changed)
            try:
                [self._owners[name]] = self.call_bus("GetNameOwner", "s", name)
            except RemoteError:
                self._owners[name] = ""  # It has none yet.
        self._subscriptions.append((match, handler))
        self.call_bus("AddMatch", "s", match.rule())

    def hear(self, timeout: float | None = None) -> bool:
        """Wait until something arrives, and act on it; False when the time is over.

        :raises NoReply: when the connection has ended.
        """
        if not self.ended and not self._readable(self._socket.fileno(), timeout):
            return False
        for frame in self._arrived():
            if self._wants(frame):  # as the messages before it have left things
                self._take(frame)
        return True

    def _arrived(self) -> list[Frame]:
        """:raises NoReply: when the connection has ended."""
        try:
            data = b"" if self.ended else self._socket.recv(_BYTES_AT_ONCE)
            frames = list(self._frames.cut(data))
        except (OSError, Malformed):
            data = b""
        if not data:
            self.close()
            raise NoReply(_ENDED)
        return frames

    def _wants(self, frame: Frame) -> bool:
        """Whether it is a reply that is awaited, or a signal that is subscribed to, by its sender.

        Any local user can send us anything, and what is not wanted is not even read.
        """
        if frame.type != SIGNAL:
            return frame.reply_serial in self._pending
        return not frame.too_long and any(
            frame.is_signal(
                self._owners.get(match.sender, match.sender), match.interface, match.member
            )
            for match, _ in self._subscriptions
        )

    def _send(self, message: Message) -> None:
        try:
            self._socket.sendall(message._marshall(negotiate_unix_fd=False))
        except OSError as error:
            self.close()
            raise NoReply(_ENDED) from error

    def _take(self, frame: Frame) -> None:
        """:raises NoReply: when it cannot be read, and the connection is of no use any more."""
        try:
            message = frame.message()
        except Malformed as error:
            self.close()
            raise NoReply(_ENDED) from error
        if frame.type != SIGNAL:
            self._pending.pop(frame.reply_serial).reply = message
            return
        for match, handler in list(self._subscriptions):
            owner = self._owners.get(match.sender, match.sender)
            if message.sender == owner and match.fits(message):
                handler(message)

    def _on_owner_changed(self, message: Message) -> None:
        self._owners[message.body[0]] = message.body[2]


def _introduced(readable: Readable) -> socket.socket:
    """A socket on which the bus has let us in."""
    found = connected()
    introduction = Introduction()
    try:
        found.sendall(introduction.greeting)
        line = b""
        while not line.endswith(introduction.END):
            received = found.recv(_BYTES_AT_ONCE) if readable(found.fileno(), 25) else b""
            if not received:
                raise AuthError("the bus does not answer")
            line += received
        found.sendall(introduction.answer(line))
    except BaseException:
        found.close()
        raise
    return found
