# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to a message bus on an event loop: how it is made, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Callable, Optional, TypeVar

from dockmgrd.bus.auth import Introduction, connected
from dockmgrd.bus.dbusnext import AuthError, Message
from dockmgrd.bus.messages import DBUS, DBUS_PATH, method_call

Self = TypeVar("Self", bound="Link")

ReplyHandler = Callable[[Optional[Message], Optional[Exception]], None]


class Link:
    """A connection to the system bus, or to the bus at `address`. Make it inside a running loop.

    :raises OSError, ValueError: as `handshake.connected`.
    """

    def __init__(self, address: str | None = None) -> None:
        self.unique_name = ""
        """Our name on the bus, once it has let us in."""
        self._loop = asyncio.get_running_loop()
        self._sock = connected(address)
        self._sock.settimeout(0)
        self._fd = self._sock.fileno()
        self._serial = 0
        self._method_return_handlers: dict[int, ReplyHandler] = {}
        """By serial of the call; called with None when the connection ends before the reply."""
        self._leaving = False
        self._disconnected = False
        self._disconnect_future: asyncio.Future[None] = self._loop.create_future()

    async def connect(self: Self) -> Self:
        """Have the bus let us in, and return this very connection.

        :raises OSError, EOFError, AuthError: when it does not.
        """
        try:
            await self._introduce()
        except (OSError, EOFError, AuthError):
            self._sock.close()
            raise
        self._loop.add_reader(self._fd, self._message_reader)
        named: asyncio.Future[str] = self._loop.create_future()

        def on_hello(reply: Message | None, error: Exception | None) -> None:
            if named.done():
                return
            if reply is not None and reply.body:
                named.set_result(reply.body[0])
            else:
                named.set_exception(error or EOFError("the bus has given us no name"))

        hello = method_call(DBUS, DBUS_PATH, DBUS, "Hello")
        hello.serial = self.next_serial()
        self._method_return_handlers[hello.serial] = on_hello
        self.send(hello)
        self.unique_name = await named
        return self

    @property
    def connected(self) -> bool:
        """Whether messages can be sent and will arrive."""
        return bool(self.unique_name) and not (self._disconnected or self._leaving)

    def disconnect(self) -> None:
        """Leave the bus; `wait_for_disconnect` returns when that is done."""
        self._leaving = True
        with contextlib.suppress(OSError):  # The other end may have left before.
            self._sock.shutdown(socket.SHUT_RDWR)

    async def wait_for_disconnect(self) -> None:
        """Return when the connection has ended; raise what ended it when that was not us."""
        await asyncio.shield(self._disconnect_future)

    def next_serial(self) -> int:
        """A number for the next message."""
        self._serial += 1
        return self._serial

    def send(self, msg: Message) -> None:
        """Queue a message."""
        raise NotImplementedError

    def _message_reader(self) -> None:
        """Take what has arrived."""
        raise NotImplementedError

    def _finalize(self, err: Exception | None = None) -> None:
        """End the connection: whoever waits for a reply learns that there will be none."""
        if self._disconnected:
            return
        self._disconnected = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._sock.close()
        handlers = list(self._method_return_handlers.values())
        self._method_return_handlers.clear()
        for handler in handlers:
            handler(None, err)
        if err is None or self._leaving:
            self._disconnect_future.set_result(None)
        else:
            self._disconnect_future.set_exception(err)
            self._disconnect_future.exception()  # Seen: not everybody waits for the end.

    async def _introduce(self) -> None:
        introduction = Introduction()
        await self._loop.sock_sendall(self._sock, introduction.greeting)
        line = b""
        while not line.endswith(introduction.END):
            received = await self._loop.sock_recv(self._sock, 4096)
            if not received:
                raise EOFError("the bus closed the connection")
            line += received
        await self._loop.sock_sendall(self._sock, introduction.answer(line))
