# SPDX-License-Identifier: LGPL-2.1-or-later
"""An HTTP proxy that reaches some hosts, and can require credentials or refuse.

It stands alone, so that a host of the bed can run it as a script, with the arguments
CREDENTIALS PORT HOST:PORT=ADDRESS:PORT…
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class ProxyServer:
    """`ways` has the address for each host and port; to others it cannot get.

    `refuses` is a status to answer everything with, or "reset", "hang", "noise".
    """

    ways: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    credentials: str = ""
    refuses: int | str = 0
    requests: list[str] = field(default_factory=list)
    """Method and target of each request."""
    url: str = ""
    under_way: set[asyncio.Future[None]] = field(default_factory=set)

    def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._answer(reader, writer))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(EOFError, OSError):
            await self._one(reader, writer)
        await _close(writer)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode().split("\r\n")[0].split(" ")
        self.requests.append(f"{method} {target}")
        if self.refuses == "reset":
            writer.transport.abort()
            return
        if self.refuses == "hang":
            await reader.read()
            return
        where = target if method == "CONNECT" else _origin(target)
        status = self._status(head.decode(), where)
        if status != 200:
            noise = self.refuses == "noise"
            writer.write(b"SSH-2.0\r\n\r\n" if noise else _refusal(status))
            return
        upstream_reader, upstream = await asyncio.open_connection(*self.ways[where])
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            upstream.write(head)  # A server takes the absolute form, too.
        await asyncio.gather(_copy(reader, upstream), _copy(upstream_reader, writer))

    def _status(self, head: str, where: str) -> int:
        if self.refuses:
            return self.refuses if isinstance(self.refuses, int) else 400
        wanted = base64.b64encode(self.credentials.encode()).decode()
        if self.credentials and f"Proxy-Authorization: Basic {wanted}\r\n" not in head:
            return 407
        return 200 if where in self.ways else 502


def _refusal(status: int) -> bytes:
    return f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 80}"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def proxying(proxy: ProxyServer) -> AsyncIterator[str]:
    """Serve the proxy on a port of its own; its URL."""
    server = await asyncio.start_server(proxy.answer, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy.url
    finally:
        server.close()
        await asyncio.gather(*proxy.under_way)


async def _serve(credentials: str, port: int, ways: Mapping[str, tuple[str, int]]) -> None:
    import systemd.daemon

    server = await asyncio.start_server(ProxyServer(ways, credentials).answer, "127.0.0.1", port)
    systemd.daemon.notify("READY=1")
    await server.serve_forever()


def _way(argument: str) -> tuple[str, tuple[str, int]]:
    name, _, address = argument.partition("=")
    host, _, port = address.rpartition(":")
    return name, (host, int(port))


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), dict(map(_way, sys.argv[3:]))))
