# SPDX-License-Identifier: LGPL-2.1-or-later
"""Becoming a client of a message bus: its address, a socket, and who we are.

Specified in D-Bus's "Server Addresses" and "Authentication Protocol". The bus knows our user from
the socket, so that EXTERNAL is all there is to say.
"""

from __future__ import annotations

import socket

from dockmgrd.bus.dbusnext import AuthExternal, BusType, get_bus_address, parse_address


def connected(address: str | None = None) -> socket.socket:
    """A socket connected to the system bus, or to the bus at `address`.

    :raises OSError: when nobody listens there.
    :raises ValueError: when the address is none.
    """
    refusal = OSError(f"the address {address} names no socket that can be connected to")
    for transport, options in parse_address(address or get_bus_address(BusType.SYSTEM)):
        path = options.get("path") or "\0" + options.get("abstract", "")
        if transport != "unix" or path == "\0":
            continue
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            found.connect(path)
        except OSError as error:
            found.close()
            refusal = error
        else:
            return found
    raise refusal


class Introduction:
    """What is said to the bus before the first message: `greeting`, and `answer` to its line."""

    END = b"\r\n"

    def __init__(self) -> None:
        self._mechanism = AuthExternal()
        self.greeting = b"\0" + self._mechanism._authentication_start().encode() + self.END

    def answer(self, line: bytes) -> bytes:
        """What ends the introduction.

        :raises AuthError: when the bus does not let us in.
        """
        return bytes(self._mechanism._receive_line(line.decode().strip()).encode() + self.END)
