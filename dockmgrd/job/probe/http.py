# SPDX-License-Identifier: LGPL-2.1-or-later
"""HTTP as far as probing needs it: GET, with one open connection for each host."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dockmgrd import __version__
from dockmgrd.job.probe import tunnel
from dockmgrd.job.probe.dial import dial
from dockmgrd.job.probe.proxies import Proxies, Proxy, destination
from dockmgrd.messages import probe as messages
from dockmgrd.messages.text import Template

_MAX_BYTES = 4 << 20
_MAX_LINE_BYTES = 64 << 10
_MAX_LENGTH_DIGITS = 19


class Malformed(Exception):
    """The answer is not HTTP, or is larger than that of a registry.

    :param template: the sentence, which takes `host`.
    """

    def __init__(self, template: Template) -> None:
        super().__init__(template.id)
        self.template = template


@dataclass(frozen=True)
class Answer:
    """A response. Names of headers are in lower case; `head_seconds` is the time to its head.

    `proxy` is the one that handed it over and could read it, which may have made it up.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    head_seconds: float
    proxy: Proxy | None = None


@dataclass(frozen=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class WebClient:
    """Sends requests; connections live until `close`.

    Failures are raised unchanged: OSError (socket.gaierror, ssl.SSLError among them),
    EOFError, Malformed, ProxyFailed, and what `tls` raises.

    :param tls: how to check certificates; called when the first is to be checked. It is the
        same for all hosts: the engine uses that of its mirror wherever the mirror redirects to.
    """

    def __init__(self, tls: Callable[[], ssl.SSLContext], proxies: Proxies) -> None:
        self._tls = tls
        self._proxies = proxies
        self._connections: dict[str, _Connection] = {}
        self.way: Proxy | None = None
        """The proxy of the latest request."""
        self.host = ""
        """The host of the latest request."""
        self.at_proxy = False
        """Whether the proxy itself has not been reached yet."""

    async def get(
        self, url: str, headers: Mapping[str, str], max_bytes: int | None = None
    ) -> Answer:
        """The answer to a GET of the URL, whose host is in ASCII. Redirects are not followed.

        :param max_bytes: of the body that are read, of which the rest is left; None for all of it.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        self.host = parts.netloc.rpartition("@")[2]
        self.way = self._proxies.find_proxy(*destination(url))
        # A proxy sees http requests, and passes on https without seeing it.
        seen_by = self.way if parts.scheme == "http" else None
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        sent = {
            "Host": parts.netloc,
            "User-Agent": f"dockmgrd/{__version__}",
            **headers,
            **(seen_by.headers if seen_by else {}),
        }
        lines = [
            f"GET {origin if seen_by else ''}{target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in sent.items()),
        ]
        request = "\r\n".join([*lines, "", ""]).encode("ascii", "replace")
        try:
            answer = await self._exchange_over_any(origin, request, max_bytes)
        except (ConnectionError, EOFError):
            if seen_by is None:
                raise
            raise tunnel.make_connection_error(seen_by) from None
        if seen_by is None:
            return answer
        if answer.status == tunnel.AUTHENTICATION_REQUIRED:
            raise tunnel.make_credentials_error(seen_by)
        return replace(answer, proxy=seen_by)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.writer.transport.abort()
        self._connections.clear()

    async def _exchange_over_any(
        self, origin: str, request: bytes, max_bytes: int | None
    ) -> Answer:
        """The answer over the connection that is open, or else over a new one."""
        kept = self._connections.pop(origin, None)
        if kept is not None:
            # The server may have closed it since.
            with contextlib.suppress(OSError, EOFError):
                return await self._exchange(origin, kept, request, max_bytes)
        return await self._exchange(origin, None, request, max_bytes)

    async def _exchange(
        self, origin: str, kept: _Connection | None, request: bytes, max_bytes: int | None
    ) -> Answer:
        started = time.monotonic()
        connection = kept or await self._connect(origin)
        try:
            connection.writer.write(request)
            status, headers = await _read_head(connection.reader)
            head_seconds = time.monotonic() - started
            body, ended = await _read_body(connection.reader, headers, max_bytes)
        except BaseException:
            connection.writer.transport.abort()
            raise
        if ended or headers.get("connection", "").lower() == "close":
            connection.writer.transport.abort()
        else:
            self._connections[origin] = connection
        return Answer(status, headers, body, head_seconds)

    async def _connect(self, origin: str) -> _Connection:
        scheme, host, port = destination(origin)
        context = self._tls() if scheme == "https" else None
        connected = await self._dial(host, port, tunnelled=scheme == "https")
        try:
            reader, writer = await asyncio.open_connection(
                sock=connected,
                limit=_MAX_LINE_BYTES,
                ssl=context,
                server_hostname=host if context else None,
            )
        except BaseException:
            connected.close()
            raise
        return _Connection(reader, writer)

    async def _dial(self, host: str, port: int, *, tunnelled: bool) -> socket.socket:
        """A connection with the host, or with the proxy on the way to it."""
        if self.way is None:
            return await dial(host, port)
        self.at_proxy = True
        connected = await tunnel.connect(self.way)
        self.at_proxy = False
        try:
            if tunnelled:
                await tunnel.open_tunnel(connected, self.way, host, port)
        except BaseException:
            connected.close()
            raise
        return connected


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise Malformed(messages.ANSWER_TOO_LARGE) from error
    first, *lines = head.decode("latin-1").splitlines()
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdigit():
        raise Malformed(messages.NOT_HTTP)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return int(words[1]), headers


async def _read_body(
    reader: asyncio.StreamReader, headers: Mapping[str, str], max_bytes: int | None
) -> tuple[bytes, bool]:
    """The body, or as much of it as is wanted, and whether the connection is of no more use."""
    limit = _MAX_BYTES if max_bytes is None else max_bytes
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader, limit, cut=max_bytes is not None)
    length = headers.get("content-length", "")
    if length.isdigit() and len(length) < _MAX_LENGTH_DIGITS:
        if int(length) <= limit:
            return await reader.readexactly(int(length)), False
        if max_bytes is None:
            raise Malformed(messages.ANSWER_TOO_LARGE)
        return await reader.readexactly(limit), True
    body = await reader.read(limit)
    while len(body) < limit and (more := await reader.read(limit - len(body))):
        body += more
    return body, True


async def _read_chunks(
    reader: asyncio.StreamReader, limit: int, *, cut: bool
) -> tuple[bytes, bool]:
    """The body, of which a larger one is cut or else an error, and whether it was cut."""
    body = b""
    while True:
        line = await reader.readline()
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError as error:
            raise Malformed(messages.NOT_HTTP) from error
        if size < 0:
            raise Malformed(messages.NOT_HTTP)
        if len(body) + size > limit:
            if not cut:
                raise Malformed(messages.ANSWER_TOO_LARGE)
            return body + await reader.readexactly(limit - len(body)), True
        if size == 0:
            while (await reader.readline()).strip():
                pass
            return body, False
        body += await reader.readexactly(size)
        await reader.readline()
