# SPDX-License-Identifier: LGPL-2.1-or-later
"""The running Docker Engine, asked over docker.sock.

Ask only while docker.service is active: docker.socket starts the engine for every connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dockmgrd.errors import ServiceFailed
from dockmgrd.messages import engine as messages
from dockmgrd.mirror_urls import normalize_known
from dockmgrd.paths import DOCKER_SOCKET
from dockmgrd.timeouts import within

_LINE_LIMIT = 16 << 20
_CONTAINERD_STORE = ["driver-type", "io.containerd.snapshotter.v1"]


@dataclass(frozen=True)
class EngineFacts:
    """The part of /info that is about mirrors."""

    version: str = ""
    mirrors: tuple[str, ...] = ()
    """Registry mirrors in use, in their order and normal; dockerd keeps the file's spelling."""
    insecure: frozenset[str] = frozenset()
    """Registries and networks that it uses without checking certificates."""
    containerd_store: bool = False
    """Whether containerd stores the images; it reads hosts.toml files instead of mirrors."""
    http_proxy: str = ""
    """The proxy for http, its user and password replaced by xxxxx; "" for none."""
    https_proxy: str = ""
    no_proxy: str = ""
    """Hosts that it reaches without the proxies, separated by commas."""

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> EngineFacts:
        """The facts of an answer to /info."""
        registry = info.get("RegistryConfig") or {}
        indexes = registry.get("IndexConfigs") or {}
        hosts = {name for name, index in indexes.items() if not index.get("Secure", True)}
        return cls(
            version=str(info.get("ServerVersion", "")),
            mirrors=normalize_known(tuple(registry.get("Mirrors") or ())),
            insecure=frozenset(hosts.union(registry.get("InsecureRegistryCIDRs") or ())),
            http_proxy=str(info.get("HttpProxy") or ""),
            https_proxy=str(info.get("HttpsProxy") or ""),
            no_proxy=str(info.get("NoProxy") or ""),
            containerd_store=_CONTAINERD_STORE in (info.get("DriverStatus") or ()),
        )


class Engine:
    """Client of the Docker Engine API on a unix socket; one connection per request."""

    def __init__(self, socket: Path = DOCKER_SOCKET) -> None:
        self._socket = socket

    async def version(self) -> str:
        """Version of the engine, such as 28.5.1.

        :raises ServiceFailed: when the engine does not answer.
        """
        return str((await self._get("/version"))["Version"])

    async def ping(self) -> None:
        """Return when the engine answers at all; raises as `version`."""
        async with self._response("/_ping"):
            pass

    async def info(self) -> dict[str, Any]:
        """What `docker info` shows; raises as `version`."""
        answer: dict[str, Any] = await self._get("/info")
        return answer

    async def facts(self) -> EngineFacts:
        """The part of /info that is about mirrors; raises as `version`."""
        return EngineFacts.from_info(await self.info())

    async def containers(self) -> list[dict[str, Any]]:
        """The running containers as /containers/json describes them; raises as `version`."""
        answer: list[dict[str, Any]] = await self._get("/containers/json")
        return answer

    async def volumes(self) -> tuple[str, ...]:
        """Names of the volumes; raises as `version`."""
        answer = await self._get("/volumes")
        return tuple(each["Name"] for each in answer.get("Volumes") or ())

    async def stop_container(self, container: str, timeout: float = 60.0) -> None:
        """Stop the container as `docker stop` does; one that has ended is no error.

        :raises ServiceFailed: when the engine does not do it in time.
        """
        try:
            await within(self._stop(container), timeout)
        except asyncio.TimeoutError:
            text = messages.CONTAINER_NOT_STOPPED(container=container[:12], seconds=f"{timeout:g}")
            remedy, command = messages.KILL_CONTAINER(), f"docker kill {container[:12]}"
            raise ServiceFailed(text.with_remedy(remedy, command)) from None

    @asynccontextmanager
    async def open_reload_events(self) -> AsyncIterator[asyncio.StreamReader]:
        """A stream with a line for each time that the engine has reloaded its configuration.

        Whatever happens after entering is in it. Raises as `version`.
        """
        filters = quote(json.dumps({"type": ["daemon"], "event": ["reload"]}))
        async with self._response(f"/events?filters={filters}") as reader:
            yield reader

    async def _get(self, path: str, timeout: float = 20.0) -> Any:
        try:
            return await within(self._read(path), timeout)
        except asyncio.TimeoutError:
            text = messages.ENGINE_REQUEST_TIMEOUT(request=path, seconds=f"{timeout:g}")
            remedy = messages.LOOK_AT_ENGINE_STATUS()
            raise ServiceFailed(text.with_remedy(remedy, "systemctl status docker")) from None

    async def _stop(self, container: str) -> None:
        path = f"/containers/{quote(container)}/stop"
        async with self._response(path, method="POST", accepted=("204", "304", "404")):
            pass

    async def _read(self, path: str) -> Any:
        async with self._response(path) as reader:
            body = await reader.read()
        try:
            return json.loads(body)
        except ValueError as error:
            raise ServiceFailed(messages.ENGINE_REPLY_TRUNCATED(request=path)) from error

    @asynccontextmanager
    async def _response(
        self, path: str, *, method: str = "GET", accepted: tuple[str, ...] = ("200",)
    ) -> AsyncIterator[asyncio.StreamReader]:
        """The body of a response. HTTP/1.0 avoids chunks: the body ends with the connection."""
        try:
            reader, writer = await asyncio.open_unix_connection(
                str(self._socket), limit=_LINE_LIMIT
            )
        except OSError as error:
            text = messages.ENGINE_UNREACHABLE(
                socket=str(self._socket), reason=error.strerror or str(error)
            )
            remedy = messages.START_ENGINE()
            raise ServiceFailed(text.with_remedy(remedy, "systemctl start docker")) from error
        try:
            writer.write(f"{method} {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode("ascii"))
            head = await reader.readuntil(b"\r\n\r\n")
            status = head.split(b" ", 2)[1].decode()
            if status not in accepted:
                raise ServiceFailed(messages.ENGINE_STATUS_UNEXPECTED(request=path, status=status))
            yield reader
        except (OSError, asyncio.IncompleteReadError) as error:
            text = messages.ENGINE_BROKE_OFF(request=path)
            remedy = messages.LOOK_AT_ENGINE_LOG()
            raise ServiceFailed(text.with_remedy(remedy, "journalctl -u docker")) from error
        finally:
            writer.close()
