# SPDX-License-Identifier: LGPL-2.1-or-later
"""A registry on loopback that behaves correctly, or has one fault."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

_TLS_HANDSHAKE = b"\x16"
_END = b"0\r\n\r\n"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Registry:
    """What it serves, and how it goes wrong: `fault` names a step and a kind.

    A kind is a status, or hang, reset, damage, endless, noise, page,
    chunked, unframed, redirect, circle, astray, far.
    """

    image: bytes = b"layer of hello-world" * 50
    token: str = ""
    root: str = "/v2/library/hello-world/"
    """Where the repository is, the API, and the tag of the image."""
    api: str = "/v2/"
    tag: str = "latest"
    manifest: bytes | None = None
    """What to send in place of a manifest."""
    fault: tuple[str, str | int] = ("", "")
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A client has asked for something; one has closed its connection."""

    def __post_init__(self) -> None:
        config = b"{}"
        layers = [{"digest": digest(self.image), "size": len(self.image)}]
        parts = {"config": {"digest": digest(config), "size": len(config)}, "layers": layers}
        manifest = json.dumps(parts).encode()
        entries = [
            {"digest": digest(b"another"), "platform": {"architecture": "s390x"}},
            *(
                {"digest": digest(manifest), "platform": {"architecture": architecture}}
                for architecture in ("amd64", "arm64")
            ),
        ]
        self.index = json.dumps({"manifests": entries}).encode()
        self._files: dict[str, tuple[str, bytes]] = {
            f"{self.root}manifests/{self.tag}": (
                "manifest",
                self.index if self.manifest is None else self.manifest,
            ),
            f"{self.root}manifests/{digest(manifest)}": ("manifest", manifest),
            f"{self.root}blobs/{digest(self.image)}": ("blob", self.image),
            "/elsewhere": ("elsewhere", self.image),
            self.api: ("v2", b"{}"),
            "/token": ("token", json.dumps({"token": self.token}).encode()),
        }

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                await writer.drain()
        except (EOFError, ConnectionError):
            pass
        finally:
            self.left.set()
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        start = await reader.readexactly(1)
        if start == _TLS_HANDSHAKE:
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return False
        first, *lines = (start + await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        target = first.split(" ")[1]
        headers = dict(line.split(": ", 1) for line in lines if line)
        self.requests.append((target, headers))
        self.asked.set()
        step, body = self._files.get(urlsplit(target).path, ("", b""))
        kind = self.fault[1] if step and step == self.fault[0] else ""
        if kind == "hang":
            await reader.read()
            return False
        if kind == "reset":
            writer.transport.abort()
            return False
        if kind == "" and self._lacks_token(step, headers):
            kind = "unauthorized"
        writer.write(self._response(200 if step else 404, body, kind))
        return kind != "unframed"

    def _lacks_token(self, step: str, headers: dict[str, str]) -> bool:
        wanted = bool(self.token) and step in ("v2", "manifest", "blob")
        return wanted and headers.get("Authorization") != f"Bearer {self.token}"

    def _response(self, status: int, body: bytes, kind: str | int) -> bytes:
        if isinstance(kind, int):
            status, kind = kind, ""
        if kind == "noise":
            return b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
        if kind == "damage":
            body = body[::-1]
        status, header = {
            "page": (status, "Content-Type: text/html; charset=utf-8\r\n"),
            "redirect": (307, f"Location: {self.url}elsewhere\r\n"),
            "circle": (302, "Location: /v2/\r\n"),
            "astray": (302, "Location: http://[::1:99999/\r\n"),
            "far": (302, "Location: http://localhost:99999/\r\n"),
            "unauthorized": (
                401,
                f'WWW-Authenticate: Bearer realm="{self.url}token",service="s"\r\n',
            ),
        }.get(kind, (status, ""))
        head = f"HTTP/1.1 {status} Whatever\r\n{header}"
        if kind == "chunked":
            half = len(body) // 2
            chunks = [b"%x\r\n%s\r\n" % (len(each), each) for each in (body[:half], body[half:])]
            return b"".join([f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), *chunks, _END])
        if kind == "unframed":
            return f"{head}\r\n".encode() + body
        length = 1 << 40 if kind == "endless" else len(body)
        return f"{head}Content-Length: {length}\r\n\r\n".encode() + body

    def queries(self) -> list[dict[str, Any]]:
        """The queries of the requests that had one."""
        found = (parse_qs(urlsplit(target).query) for target, _ in self.requests)
        return [query for query in found if query]


@asynccontextmanager
async def serving(
    *registries: Registry, tls: ssl.SSLContext | None = None
) -> AsyncIterator[list[str]]:
    """Serve each on a port of its own; their URLs, those with TLS at localhost."""
    servers = []
    root = "https://localhost" if tls else "http://127.0.0.1"
    for registry in registries:
        server = await asyncio.start_server(registry.answer, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        registry.url = f"{root}:{server.sockets[0].getsockname()[1]}/"
    try:
        yield [registry.url for registry in registries]
    finally:
        for server in servers:
            server.close()
