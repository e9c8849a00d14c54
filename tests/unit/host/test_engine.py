# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of Docker Engine, and of programs that serve its socket in its place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dockmgrd.errors import ServiceFailed
from dockmgrd.host import engine as engine_module
from dockmgrd.host.engine import Engine
from dockmgrd.host.engine_answers import Container, EngineFacts

Ask = Callable[[Engine], Coroutine[Any, Any, object]]
ALL: tuple[Ask, ...] = (Engine.version, Engine.facts, Engine.containers, Engine.volumes)


@asynccontextmanager
async def serving(folder: Path, reply: bytes) -> AsyncIterator[Engine]:
    """A socket that gives this reply to every request."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    server = await asyncio.start_unix_server(respond, folder / "docker.sock")
    async with server:
        yield Engine(folder / "docker.sock")


def respond_with(body: Any) -> bytes:
    return b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(body).encode()


async def test_what_may_be_missing_has_a_default(tmp_path: Path) -> None:
    async with serving(tmp_path, respond_with({})) as engine:
        assert await engine.facts() == EngineFacts()
        assert await engine.volumes() == ()
    nulls = {"RegistryConfig": None, "DriverStatus": None, "HttpProxy": None, "Volumes": None}
    async with serving(tmp_path, respond_with(nulls)) as engine:
        assert await engine.facts() == EngineFacts()
        assert await engine.volumes() == ()


async def test_a_container_without_a_name_has_its_id(tmp_path: Path) -> None:
    number = "0123456789abcdef"
    containers = [{"Id": number, "Names": None}, {"Id": number}, {"Id": number, "Names": ["/web"]}]
    async with serving(tmp_path, respond_with(containers)) as engine:
        short = Container(number, number[:12])
        assert await engine.containers() == (short, short, Container(number, "web"))


@pytest.mark.parametrize(
    ("ask", "body"),
    [
        (Engine.version, {}),
        (Engine.version, {"Version": 28}),
        (Engine.version, ["28.5.1"]),
        (Engine.facts, []),
        (Engine.facts, {"RegistryConfig": ["https://mirror.example/"]}),
        (Engine.facts, {"RegistryConfig": {"Mirrors": "https://mirror.example/"}}),
        (Engine.facts, {"RegistryConfig": {"Mirrors": [1]}}),
        (Engine.facts, {"RegistryConfig": {"IndexConfigs": {"docker.io": None}}}),
        (Engine.facts, {"LiveRestoreEnabled": "no"}),
        (Engine.facts, {"Containers": True}),
        (Engine.containers, {"message": "page not found"}),
        (Engine.containers, [None]),
        (Engine.containers, [{"Names": ["/web"]}]),
        (Engine.containers, [{"Id": "1", "Names": [{}]}]),
        (Engine.volumes, {"Volumes": [{"Driver": "local"}]}),
        (Engine.volumes, {"Volumes": {"Name": "data"}}),
    ],
)
async def test_values_of_other_types_are_errors(tmp_path: Path, ask: Ask, body: Any) -> None:
    async with serving(tmp_path, respond_with(body)) as engine:
        with pytest.raises(ServiceFailed, match="is not one of Docker Engine's API"):
            await ask(engine)


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 \xff\xff\xff OK\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n<html>",
        b"HTTP/1.0 200 OK\r\n\r\n\xff",
        b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.0 200 OK\r\n\r\n" + b"9" * 5_000,
        b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 2_000 + b"{}",
        b"HTTP/1.0 200 OK\r\nX: " + b"x" * 2_000 + b"\r\n\r\n{}",
    ],
)
@pytest.mark.parametrize("ask", ALL)
async def test_replies_of_other_programs_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask, reply: bytes
) -> None:
    monkeypatch.setattr(engine_module, "MAX_BODY_BYTES", 1_000)
    monkeypatch.setattr(engine_module, "_LINE_LIMIT", 1_000)
    async with serving(tmp_path, reply) as engine:
        with pytest.raises(ServiceFailed, match="is not one of Docker Engine's API"):
            await ask(engine)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.0 200 OK\r\n"])
async def test_a_reply_that_breaks_off(tmp_path: Path, reply: bytes) -> None:
    async with serving(tmp_path, reply) as engine:
        with pytest.raises(ServiceFailed, match="closed the connection"):
            await engine.version()
