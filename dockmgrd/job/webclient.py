# SPDX-License-Identifier: LGPL-2.1-or-later
"""HTTP as far as a registry is tried with it: GET, one connection for each host, kept open.

Names are looked up in threads of their own: the lookups of dead hosts must not hold up the others,
nor the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dockmgrd import __version__
from dockmgrd.job.trust import Trust

_MOST_BYTES = 4 << 20
_LINE_LIMIT = 64 << 10
_SECONDS_AHEAD = 0.25
"""How long an address may take before the next one is tried beside it (RFC 8305)."""

_Address = tuple[socket.AddressFamily, Any]


class Malformed(Exception):
    """What came back is not HTTP, or is more than a registry would send."""


@dataclass(frozen=True)
class Answer:
    """A response. Names of headers are in lower case; `head_seconds` is the time to its head."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    head_seconds: float


@dataclass(frozen=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class WebClient:
    """Asks servers for things; connections live until `close`.

    What goes wrong is raised as it comes: OSError (socket.gaierror, ssl.SSLError among them),
    EOFError, Malformed.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._connections: dict[str, _Connection] = {}

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The answer to a GET of the URL, whose host is in ASCII. Redirects are not followed."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        lines = [
            f"GET {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"User-Agent: dockmgrd/{__version__}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        request = "\r\n".join([*lines, "", ""]).encode("ascii", "replace")
        kept = self._connections.pop(origin, None)
        if kept is not None:
            # The server may have closed it since.
            with contextlib.suppress(OSError, EOFError):
                return await self._exchange(origin, kept, request)
        return await self._exchange(origin, None, request)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.writer.transport.abort()
        self._connections.clear()

    async def _exchange(self, origin: str, kept: _Connection | None, request: bytes) -> Answer:
        started = time.monotonic()
        connection = kept or await self._connect(origin)
        try:
            connection.writer.write(request)
            status, headers = await _read_head(connection.reader)
            head_seconds = time.monotonic() - started
            body, ended = await _read_body(connection.reader, headers)
        except BaseException:
            connection.writer.transport.abort()
            raise
        if ended or headers.get("connection", "").lower() == "close":
            connection.writer.transport.abort()
        else:
            self._connections[origin] = connection
        return Answer(status, headers, body, head_seconds)

    async def _connect(self, origin: str) -> _Connection:
        parts = urlsplit(origin)
        secure = parts.scheme == "https"
        host = parts.hostname or ""
        addresses = await _look_up(host, parts.port or (443 if secure else 80))
        connected = await _first_connected(addresses)
        try:
            reader, writer = await asyncio.open_connection(
                sock=connected,
                limit=_LINE_LIMIT,
                ssl=self._trust.context(parts.netloc) if secure else None,
                server_hostname=host if secure else None,
            )
        except BaseException:
            connected.close()
            raise
        return _Connection(reader, writer)


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


async def _first_connected(addresses: list[_Address]) -> socket.socket:
    """A socket connected with the first address that answers, the earlier ones ahead a little."""
    waiting = list(addresses)
    attempts: set[asyncio.Task[socket.socket]] = set()
    error: BaseException | None = None
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.ensure_future(_connected(*waiting.pop(0))))
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


async def _connected(family: socket.AddressFamily, address: Any) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise Malformed("the head of the answer is endless") from error
    first, *lines = head.decode("latin-1").splitlines()
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdigit():
        raise Malformed("the answer is not HTTP")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return int(words[1]), headers


async def _read_body(
    reader: asyncio.StreamReader, headers: Mapping[str, str]
) -> tuple[bytes, bool]:
    """The body, and whether the connection ended with it."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader), False
    length = headers.get("content-length", "")
    if length.isdigit():
        if int(length) > _MOST_BYTES:
            raise Malformed("the answer is far longer than that of a registry")
        return await reader.readexactly(int(length)), False
    body = await reader.read(_MOST_BYTES)
    while len(body) < _MOST_BYTES and (more := await reader.read(_MOST_BYTES - len(body))):
        body += more
    return body, True


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        line = await reader.readline()
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError as error:
            raise Malformed("the answer is not HTTP") from error
        if len(body) + size > _MOST_BYTES:
            raise Malformed("the answer is far longer than that of a registry")
        if size == 0:
            while (await reader.readline()).strip():
                pass
            return body
        body += await reader.readexactly(size)
        await reader.readline()
