# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP connections to where a name stands for, whichever of its addresses answers first.

Names are looked up in threads of their own: the lookups of dead hosts must not hold up the others,
nor the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

_SECONDS_AHEAD = 0.25
"""How long an address may take before the next one is tried beside it (RFC 8305)."""

_Address = tuple[socket.AddressFamily, Any]


async def dial(host: str, port: int) -> socket.socket:
    """A connected socket that does not block.

    :raises OSError: that of the last address that was tried; socket.gaierror when there is none.
    """
    return await _first_connect_socket(await _look_up(host, port))


async def _look_up(host: str, port: int) -> list[_Address]:
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[_Address]] = loop.create_future()

    def settle(addresses: list[_Address], error: OSError | None) -> None:
        if found.done():
            return
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(addresses)

    def run() -> None:
        addresses: list[_Address] = []
        error = None
        try:
            for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                addresses.append((family, address))
        except OSError as caught:
            error = caught
        with contextlib.suppress(RuntimeError):  # Nobody waits any more.
            loop.call_soon_threadsafe(settle, addresses, error)

    threading.Thread(target=run, daemon=True).start()
    return await found


async def _first_connect_socket(addresses: list[_Address]) -> socket.socket:
    """A socket connected with the first address that answers, the earlier ones ahead a little."""
    waiting = list(addresses)
    attempts: set[asyncio.Task[socket.socket]] = set()
    error: BaseException | None = None
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.ensure_future(_connect_socket(*waiting.pop(0))))
            done, attempts = await asyncio.wait(
                attempts,
                timeout=_SECONDS_AHEAD if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for attempt in done:
                error = attempt.exception()
                if error is None:
                    return attempt.result()
    finally:
        for attempt in attempts:
            attempt.cancel()
    raise error or OSError("no address")


async def _connect_socket(family: socket.AddressFamily, address: Any) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection
