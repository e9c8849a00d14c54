# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong in the internet of a host, by order of a test."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDERS = Path("/run/bed/faults.json")
CHUNK = 256 * 1024
SLOW_PIECE_SECONDS = 0.1
_DAMAGE = bytes(byte ^ 0xFF for byte in range(256))


class Readable(Protocol):
    """Where the bytes of an answer come from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


@dataclass(frozen=True)
class Fault:
    """An order of the test; bed/internet.py says what the kinds mean. None is kind `""`."""

    host: str = ""
    prefix: str = ""
    kind: str = ""
    value: Any = None

    def replaced(self, path: str) -> str:
        """Return the path whose content is to be served: another one under fault `instead`."""
        if self.kind != "instead":
            return path
        return str(self.value) + path[len(self.prefix) :]

    def pieces(self, stream: Readable, length: int) -> Iterator[bytes]:
        """Yield the body of an answer, or what the fault makes of it."""
        left = length // 2 if self.kind == "truncate" else length
        size = CHUNK
        if self.kind == "slow":
            size = max(1, int(self.value * SLOW_PIECE_SECONDS))
        while left > 0:
            piece = stream.read(min(size, left))
            if not piece:
                return
            left -= len(piece)
            yield piece.translate(_DAMAGE) if self.kind == "damage" else piece
            if self.kind == "slow":
                time.sleep(SLOW_PIECE_SECONDS)


def find(host: str, path: str) -> Fault:
    """Return the first fault that was ordered for this address. Orders are read anew each time."""
    try:
        orders = json.loads(ORDERS.read_text())
    except FileNotFoundError:
        orders = []
    for order in orders:
        if order["host"] == host and path.startswith(order["prefix"]):
            return Fault(**order)
    return Fault()


def reset(connection: socket.socket) -> None:
    """Close a connection in such a way that the peer sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
