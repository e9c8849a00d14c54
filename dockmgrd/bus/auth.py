# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connecting to a message bus: its address, a socket, and authentication, without waiting.

See "Server Addresses" and "Authentication Protocol" in the D-Bus specification. The bus reads our
user id from the socket (mechanism EXTERNAL).
"""

from __future__ import annotations

import socket

from dockmgrd.bus.dbusnext import (
    AuthError,
    answer_authentication,
    list_addresses,
    make_authentication_request,
)

MAX_LINE_BYTES = 16 << 10


def connect_socket(address: str | None = None) -> socket.socket:
    """Return a socket connected to the bus at `address`, by default the system bus.

    :raises OSError: if nothing listens at the address.
    :raises ValueError: if the address is not valid.
    """
    failure = OSError(f"the address {address} names no socket that can be connected to")
    for transport, options in list_addresses(address):
        path = options.get("path") or "\0" + options.get("abstract", "")
        if transport != "unix" or path == "\0":
            continue
        candidate = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            candidate.connect(path)
        except OSError as error:
            candidate.close()
            failure = error
        else:
            return candidate
    raise failure


class Authentication:
    """What a client and the bus say to each other before the first message.

    Send `greeting`, then pass what arrives to `receive` and send what it returns, until `is_done`.

    :param is_local: whether the bus sees our user id. Behind a bridge to another host it sees
        that of the bridge, and we leave ours out, as sd-bus does.
    """

    def __init__(self, *, is_local: bool = True) -> None:
        request = make_authentication_request() if is_local else "AUTH EXTERNAL"
        self.greeting = b"\0" + request.encode() + b"\r\n"
        self.is_done = False
        self._line = b""

    def receive(self, data: bytes) -> bytes:
        """Return the reply to the bus's line; empty while the line is incomplete.

        :raises AuthError: if the bus rejects us.
        :raises EOFError: if `data` is empty: the bus closed the connection.
        """
        if not data:
            raise EOFError("the bus closed the connection")
        self._line += data
        if len(self._line) > MAX_LINE_BYTES:
            raise AuthError(f"the bus sent more than {MAX_LINE_BYTES} bytes")
        if not self._line.endswith(b"\r\n"):
            return b""
        line = self._line.decode("ascii", "backslashreplace").strip()
        self._line = b""
        if line == "DATA":
            return b"DATA\r\n"
        self.is_done = True
        return answer_authentication(line).encode() + b"\r\n"
