# SPDX-License-Identifier: LGPL-2.1-or-later
"""The running Docker Engine, asked over docker.sock.

Ask only while docker.service is active: docker.socket starts the engine for every connection.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from dockmgrd.errors import ServiceFailed
from dockmgrd.host.engine_answers import (
    Container,
    EngineFacts,
    UnknownForm,
    parse_containers,
    parse_info,
    parse_version,
    parse_volumes,
)
from dockmgrd.messages import engine as messages
from dockmgrd.paths import DOCKER_SOCKET
from dockmgrd.timeouts import within

Answer = TypeVar("Answer")

MAX_BODY_BYTES = 64 << 20
"""Of an answer: containers of a host with thousands of them take some megabytes."""
_CHUNK_BYTES = 1 << 20
_ANSWER_TIMEOUT = 20.0
_LINE_LIMIT = 16 << 20
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")


class Engine:
    """Client of the Docker Engine API on a unix socket; one connection per request."""

    def __init__(self, socket: Path = DOCKER_SOCKET) -> None:
        self._socket = socket

    async def version(self) -> str:
        """Version of the engine, such as 28.5.1.

        :raises ServiceFailed: when the engine does not answer.
        """
        return await self._get("/version", parse_version)

    async def ping(self) -> None:
        """Return when the engine answers at all; raises as `version`."""
        async with self._response("/_ping"):
            pass

    async def facts(self) -> EngineFacts:
        """What we need of `docker info`; raises as `version`."""
        return await self._get("/info", parse_info)

    async def containers(self) -> tuple[Container, ...]:
        """The running containers; raises as `version`."""
        return await self._get("/containers/json", parse_containers)

    async def volumes(self) -> tuple[str, ...]:
        """Names of the volumes; raises as `version`."""
        return await self._get("/volumes", parse_volumes)

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

    async def _get(self, path: str, parse: Callable[[Any], Answer]) -> Answer:
        try:
            return parse(await within(self._read(path), _ANSWER_TIMEOUT))
        except UnknownForm as error:
            raise _make_form_error(path, str(error)) from error
        except asyncio.TimeoutError:
            text = messages.ENGINE_REQUEST_TIMEOUT(request=path, seconds=f"{_ANSWER_TIMEOUT:g}")
            remedy = messages.LOOK_AT_ENGINE_STATUS()
            raise ServiceFailed(text.with_remedy(remedy, "systemctl status docker")) from None

    async def _stop(self, container: str) -> None:
        path = f"/containers/{quote(container)}/stop"
        async with self._response(path, method="POST", accepted=("204", "304", "404")):
            pass

    async def _read(self, path: str) -> Any:
        async with self._response(path) as reader:
            body = await _read_body(reader)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _make_form_error(path, f"{len(body)} bytes are not JSON") from error

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
            remedy = messages.LOOK_AT_ENGINE_STATUS()
            command = "systemctl status docker.socket docker.service"
            raise ServiceFailed(text.with_remedy(remedy, command)) from error
        try:
            writer.write(f"{method} {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode("ascii"))
            status = _parse_status(await reader.readuntil(b"\r\n\r\n"))
            if status not in accepted:
                raise ServiceFailed(messages.ENGINE_STATUS_UNEXPECTED(request=path, status=status))
            yield reader
        except (UnknownForm, asyncio.LimitOverrunError) as error:
            raise _make_form_error(path, str(error)) from error
        except (OSError, asyncio.IncompleteReadError) as error:
            text = messages.ENGINE_BROKE_OFF(request=path)
            remedy = messages.LOOK_AT_ENGINE_LOG()
            raise ServiceFailed(text.with_remedy(remedy, "journalctl -u docker")) from error
        finally:
            writer.close()


def _parse_status(head: bytes) -> str:
    """:raises UnknownForm: if the head is not that of an HTTP response."""
    match = _STATUS_LINE.match(head)
    if match is None:
        raise UnknownForm("it is not HTTP")
    return match[1].decode()


async def _read_body(reader: asyncio.StreamReader) -> bytes:
    """:raises UnknownForm: if it does not end."""
    body = bytearray()
    while chunk := await reader.read(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise UnknownForm(f"it is longer than {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _make_form_error(request: str, reason: str) -> ServiceFailed:
    text = messages.ENGINE_REPLY_UNKNOWN(request=request, reason=reason)
    remedy = messages.LOOK_AT_SOCKET()
    return ServiceFailed(text.with_remedy(remedy, f"docker --host unix://{DOCKER_SOCKET} version"))
