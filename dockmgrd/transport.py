# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages in and out of a bus connection: dbus-next's transport, made fit for a daemon.

dbus-next authenticates, marshals and unmarshals. Its writer takes a full socket buffer for a
broken connection, which any local user can bring about by calling and not reading; and it reads
without end while replies pile up.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import Any

from dockmgrd.dbusnext import BusType, Message, MessageBus, MessageWriter

_UNSENT_HIGH = 4 << 20
_UNSENT_LOW = 1 << 20
_MESSAGES_A_TURN = 64


class _Writer(MessageWriter):  # type: ignore[misc]
    """Waits when the socket is full, where dbus-next's own writer closes the connection."""

    bus: Transport
    buf: memoryview | None
    unsent = 0

    def buffer_message(self, msg: Message, future: Any = None) -> None:
        data = msg._marshall(negotiate_unix_fd=False)
        self.unsent += len(data)
        self.messages.put_nowait((data, None, future))

    def write_callback(self) -> None:
        try:
            while self.buf is not None or not self.messages.empty():
                if self.buf is None:
                    data, _, self.fut = self.messages.get_nowait()
                    self.buf, self.offset = memoryview(data), 0
                sent = self.sock.send(self.buf[self.offset :])
                self.offset += sent
                self.unsent -= sent
                if self.offset < len(self.buf):
                    return
                self.buf = None
        except BlockingIOError:
            return
        except OSError as error:
            self.bus._finalize(error)
            return
        finally:
            self.bus._unsent_changed(self.unsent)
        self.loop.remove_writer(self.fd)


class Transport(MessageBus):  # type: ignore[misc]
    """A connection to the system bus, or to the bus at `address`. Make it inside a running loop.

    Every message that arrives goes to `_on_message`.
    """

    def __init__(self, address: str | None = None) -> None:
        super().__init__(bus_address=address, bus_type=BusType.SYSTEM)
        self._writer = _Writer(self)
        self._reading_paused = False
        self._unmarshaller: Any

    async def wait_for_disconnect(self) -> None:
        """Return when the connection has ended; raise what ended it when that was not us.

        A wait that is cancelled leaves those of others alone, which dbus-next's own does not.
        """
        await asyncio.shield(self._disconnect_future)

    def send(self, msg: Message) -> None:
        """Queue a message; on a connection that has ended there is nobody to get it.

        Raises what marshalling raises when the body is not of its signature.
        """
        if self._disconnected:
            return
        if not msg.serial:
            msg.serial = self.next_serial()
        self._writer.schedule_write(msg, None)

    def _finalize(self, err: Exception | None = None) -> None:
        """End the connection, and close its socket, which dbus-next leaves to the collector."""
        super()._finalize(err)
        with contextlib.suppress(OSError):
            self._stream.close()
        self._sock.close()
        self._disconnect_future.exception()  # Seen: not everybody waits for the end.

    def _message_reader(self) -> None:
        """Take what has arrived, in turns, and nothing more while too much waits to be sent.

        The messages of a turn come from a buffered stream, so what it still holds raises no event
        on the socket: the next turn is scheduled, not awaited.
        """
        for _ in range(_MESSAGES_A_TURN):
            if self._reading_paused or self._disconnected:
                return
            try:
                if not self._unmarshaller.unmarshall():
                    return
            except (OSError, EOFError, ValueError, struct.error) as error:
                self._finalize(error)
                return
            message = self._unmarshaller.message
            self._unmarshaller = self._create_unmarshaller()
            self._on_message(message)
        self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        self._message_reader()

    def _unsent_changed(self, unsent: int) -> None:
        if self._disconnected:
            return
        if self._reading_paused and unsent < _UNSENT_LOW:
            self._reading_paused = False
            self._loop.add_reader(self._fd, self._message_reader)
            self._loop.call_soon(self._read_on)
        elif not self._reading_paused and unsent > _UNSENT_HIGH:
            self._reading_paused = True
            self._loop.remove_reader(self._fd)
