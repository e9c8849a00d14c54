# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to the system bus without an event loop, for a program that waits for one thing.

`dockmgrctl` uses it: to import asyncio takes longer than most of its answers.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Optional

from dockmgrd.bus.auth import Authentication, connect_socket
from dockmgrd.bus.dbusnext import AuthError, Message, MessageFlag, marshal
from dockmgrd.bus.frames import Frame, FrameSplitter, Malformed
from dockmgrd.bus.messages import CALL_TIMEOUT, Match, make_bus_call, make_call
from dockmgrd.bus.router import Pending, Router, SignalHandler
from dockmgrd.errors import NoReply
from dockmgrd.messages import bus as messages

_MAX_SIGNAL_BYTES = 1 << 20
_MAX_READ_BYTES = 64 << 10
_AUTHENTICATION_TIMEOUT = 25.0

WaitUntilReadable = Callable[[int, Optional[float]], bool]
"""Waits until a file descriptor can be read; returns False after the timeout in seconds."""


class Connection:
    """A connection to the system bus. Messages are read only while something waits.

    :param wait: how the program waits.
    :param seconds: for all calls together; None for no limit but that of each call.
    :param bridge: a socket behind which a bridge to the bus of another host is started. The
        connection closes it. A user may have to log in there, so authentication has no time limit.

    :raises OSError, ValueError: as `connect_socket`.
    :raises AuthError: if the bus does not accept us.
    """

    def __init__(
        self,
        wait: WaitUntilReadable,
        seconds: float | None = None,
        bridge: socket.socket | None = None,
    ) -> None:
        self._wait = wait
        self._deadline = _get_deadline(seconds)
        if bridge is None:
            self._socket = _authenticate(connect_socket(), wait, Authentication())
        else:
            self._socket = _authenticate(bridge, wait, Authentication(is_local=False), None)
        self._splitter = FrameSplitter(_MAX_SIGNAL_BYTES)
        self._router = Router()
        self.has_ended = False
        try:
            [self.unique_name] = self.call_bus("Hello")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leave the bus."""
        self.has_ended = True
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
        timeout: float | None = CALL_TIMEOUT,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> list[Any]:
        """Call a method, and return the values of its reply.

        :param timeout: seconds to wait; None waits as long as the connection lives.
        :raises RemoteError: if the reply is an error.
        :raises NoReply: if there is no reply in time, or the connection ends.
        """
        message = make_call(destination, path, interface, member, signature, body, flags)
        return self._request(message, timeout)

    def call_bus(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        """Call a method of the bus itself; raises as `call`."""
        return self._request(make_bus_call(member, signature, *body), CALL_TIMEOUT)

    def begin_call(self, destination: str, path: str, interface: str, member: str) -> Pending:
        """Call a method without arguments. Its reply is taken while `process` runs.

        :raises NoReply: if the connection has ended.
        """
        pending = self._router.call(make_call(destination, path, interface, member))
        self._send(pending.call)
        return pending

    def forget(self, pending: Pending) -> None:
        """Ignore the reply to the call if it still arrives."""
        self._router.forget(pending)

    def subscribe(self, match: Match, handler: SignalHandler) -> None:
        """Call the handler, while `process` runs, for each signal that matches.

        Only signals from the owner of `match.sender` count.

        :raises RemoteError, NoReply: as `call`.
        """
        self._complete(self._router.subscribe(match, handler), CALL_TIMEOUT)

    def process(self, timeout: float | None = None) -> bool:
        """Wait until something arrives, and handle it. Return False after the timeout.

        :param timeout: in seconds; None waits as long as the connection lives.
        :raises NoReply: if the connection has ended.
        """
        if not self.has_ended and not self._wait(self._socket.fileno(), timeout):
            return False
        for frame in self._read_frames():
            if self._router.wants(frame):  # after what the messages before it have changed
                self._dispatch(frame)
        return True

    def _request(self, message: Message, timeout: float | None) -> list[Any]:
        [values] = self._complete([self._router.call(message)], timeout)
        return values

    def _complete(self, calls: list[Pending], timeout: float | None) -> list[list[Any]]:
        """Send the calls, and return the values of their replies; raises as `call`."""
        limits = [each for each in (_get_deadline(timeout), self._deadline) if each is not None]
        deadline = min(limits, default=None)
        try:
            for pending in calls:
                self._send(pending.call)
            for pending in calls:
                self._wait_for(pending, deadline)
        finally:
            for pending in calls:
                self._router.forget(pending)
        return [pending.get_values() for pending in calls]

    def _wait_for(self, pending: Pending, deadline: float | None) -> None:
        """:raises NoReply: if there is no reply before the deadline, or the connection ends."""
        while not pending.is_done:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not self.process(left):
                call = pending.call
                raise NoReply(messages.NO_REPLY(destination=call.destination, method=call.member))

    def _read_frames(self) -> list[Frame]:
        """:raises NoReply: if the connection has ended."""
        try:
            data = b"" if self.has_ended else self._socket.recv(_MAX_READ_BYTES)
            frames = list(self._splitter.split(data))
        except (OSError, Malformed):
            data = b""
        if not data:
            raise self._end()
        return frames

    def _send(self, message: Message) -> None:
        """:raises NoReply: if the connection has ended."""
        data = marshal(message)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._end() from error

    def _dispatch(self, frame: Frame) -> None:
        """:raises NoReply: if the message cannot be parsed, so that a call may wait in vain."""
        try:
            message = frame.parse()
        except Malformed as error:
            raise self._end() from error
        self._router.dispatch(message)

    def _end(self) -> NoReply:
        """Close the connection, and return the error to raise."""
        self.close()
        return NoReply(messages.CONNECTION_ENDED())


def _get_deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _authenticate(
    sock: socket.socket,
    wait: WaitUntilReadable,
    authentication: Authentication,
    timeout: float | None = _AUTHENTICATION_TIMEOUT,
) -> socket.socket:
    """Return the socket, on which the bus has accepted us.

    :param timeout: seconds to wait for each line of the bus.
    :raises OSError, AuthError: if the bus does not accept us.
    """
    try:
        sock.sendall(authentication.greeting)
        while not authentication.is_done:
            if not wait(sock.fileno(), timeout):
                raise AuthError("the bus does not answer")
            if reply := authentication.receive(sock.recv(_MAX_READ_BYTES)):
                sock.sendall(reply)
    except EOFError as error:
        sock.close()
        raise AuthError(str(error)) from error
    except BaseException:
        sock.close()
        raise
    return sock
