# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bytes to and from a bus socket on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter, deque
from collections.abc import Callable

from dockmgrd.bus.auth import Authentication

_PAUSE_READING_BYTES = 4 << 20
"""With more than this to send, nothing is read: what is read causes replies."""
_RESUME_READING_BYTES = 1 << 20
_MAX_READ_BYTES = 64 << 10
_SOCKET_BUFFER_BYTES = 16 << 10
"""The bus takes little at a time, and what is in the socket cannot be overtaken."""


class _SendQueue:
    """Bytes to send, in order. Counts them by user."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[bytes, object]] = deque()
        self._offset = 0
        self.total = 0
        self.by_user: Counter[object] = Counter()

    def add(self, data: bytes, user: object) -> None:
        self._chunks.append((data, user))
        self.total += len(data)
        self.by_user[user] += len(data)

    def send(self, sock: socket.socket) -> None:
        """Send as much as the socket takes.

        :raises OSError: if the connection is broken.
        """
        with contextlib.suppress(BlockingIOError):
            while self._chunks:
                data, user = self._chunks[0]
                sent = sock.send(memoryview(data)[self._offset :])
                self._offset += sent
                self._count_sent(user, sent)
                if self._offset < len(data):
                    return
                self._chunks.popleft()
                self._offset = 0

    def _count_sent(self, user: object, size: int) -> None:
        self.total -= size
        self.by_user[user] -= size
        if not self.by_user[user]:
            del self.by_user[user]


class Link:
    """A connected bus socket. Create it inside a running loop.

    :param on_data: gets the bytes that arrive. It may raise OSError or EOFError to end the link.
    :param on_sent: called after some bytes were sent.
    :param on_end: called once, when the link has ended.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        on_data: Callable[[bytes], None],
        on_sent: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._sock.settimeout(0)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        self._fd = sock.fileno()
        self._on_data = on_data
        self._on_sent = on_sent
        self._on_end = on_end
        self._queue = _SendQueue()
        self._is_paused = False
        self._is_closing = False
        self.has_ended = False
        self._end: asyncio.Future[None] = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        """Whether bytes can be sent and will arrive."""
        return not (self.has_ended or self._is_closing)

    @property
    def unsent_bytes(self) -> int:
        return self._queue.total

    def count_unsent_bytes(self, user: object) -> int:
        """Return how many bytes for the user are still to be sent."""
        return self._queue.by_user[user]

    async def authenticate(self) -> None:
        """Authenticate to the bus, then read what arrives.

        :raises OSError, EOFError, AuthError: if the bus does not accept us.
        """
        authentication = Authentication()
        try:
            await self._loop.sock_sendall(self._sock, authentication.greeting)
            while not authentication.is_done:
                received = await self._loop.sock_recv(self._sock, _MAX_READ_BYTES)
                if reply := authentication.receive(received):
                    await self._loop.sock_sendall(self._sock, reply)
        except BaseException:
            self.end()
            raise
        self._loop.add_reader(self._fd, self._read)

    def write(self, data: bytes, user: object) -> None:
        """Queue bytes for the user; without effect on a link that has ended."""
        if not self.has_ended:
            self._queue.add(data, user)
            self._loop.add_writer(self._fd, self._write)

    def fileno(self) -> int:
        """Return the file descriptor of the socket."""
        return self._fd

    def close(self) -> None:
        """Shut down the socket; `wait_until_ended` returns when the link has ended."""
        self._is_closing = True
        with contextlib.suppress(OSError):  # the other end may have left before
            self._sock.shutdown(socket.SHUT_RDWR)

    async def wait_until_ended(self) -> None:
        """Wait until the link has ended; raise the error that ended it, unless `close` did."""
        await asyncio.shield(self._end)

    def end(self, error: Exception | None = None) -> None:
        """End the link now. Without effect on one that has ended."""
        if self.has_ended:
            return
        self.has_ended = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._sock.close()
        self._on_end()
        if error is None or self._is_closing:
            self._end.set_result(None)
        else:
            self._end.set_exception(error)
            self._end.exception()  # asyncio logs an exception that nobody has retrieved

    def _write(self) -> None:
        try:
            self._queue.send(self._sock)
        except OSError as error:
            self.end(error)
            return
        if not self.unsent_bytes:
            self._loop.remove_writer(self._fd)
        self._on_sent()
        if self._is_paused and self.unsent_bytes < _RESUME_READING_BYTES:
            self._is_paused = False
            self._loop.add_reader(self._fd, self._read)
        elif not self._is_paused and self.unsent_bytes > _PAUSE_READING_BYTES:
            self._is_paused = True
            self._loop.remove_reader(self._fd)

    def _read(self) -> None:
        """Read once. The event loop calls this again for the rest, after other events."""
        if self._is_paused or self.has_ended:
            return
        try:
            data = self._sock.recv(_MAX_READ_BYTES)
            if not data:
                raise EOFError("the bus closed the connection")
            self._on_data(data)
        except BlockingIOError:
            return
        except (OSError, EOFError) as error:
            self.end(error)
