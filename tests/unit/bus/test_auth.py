# SPDX-License-Identifier: LGPL-2.1-or-later
"""Authentication to a bus, with and without an event loop, and its errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dockmgrd.bus.auth import Authentication, connect_socket
from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import AuthError
from dockmgrd.cli.waiting import wait_until_readable


@asynccontextmanager
async def answering(folder: Path, answer: bytes) -> AsyncIterator[str]:
    """Address of what answers a greeting with that, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = await reader.readuntil(b"\r\n")
        assert greeting.startswith(b"\0AUTH EXTERNAL ")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    path = folder / "bus"
    async with await asyncio.start_unix_server(serve, str(path)):
        yield f"unix:path={path}"


def _wait(descriptor: int, timeout: float | None) -> bool:
    return wait_until_readable(descriptor, timeout=timeout)


@pytest.mark.parametrize(
    ("answer", "error"), [(b"REJECTED EXTERNAL\r\n", AuthError), (b"", EOFError), (b"OK", EOFError)]
)
async def test_a_bus_that_does_not_let_us_in(
    tmp_path: Path, answer: bytes, error: type[Exception]
) -> None:
    async with answering(tmp_path, answer) as address:
        bus = Bus(address)
        with pytest.raises(error):
            await bus.connect()
        assert not bus.is_connected


@pytest.mark.parametrize("answer", [b"REJECTED EXTERNAL\r\n", b"", b"OK"])
async def test_a_bus_that_does_not_let_the_command_line_in(
    tmp_path: Path, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(tmp_path, answer) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        with pytest.raises(AuthError):
            await asyncio.get_running_loop().run_in_executor(None, lambda: Connection(_wait))


def test_the_first_address_at_which_somebody_listens_is_taken(bus_address: str) -> None:
    connect_socket(f"unix:path=/nonexistent;tcp:host=localhost,port=1;{bus_address}").close()


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("unix:path=/nonexistent/bus", FileNotFoundError),
        ("tcp:host=localhost,port=1", OSError),
        ("unix:", OSError),
        ("nonsense", ValueError),
    ],
)
def test_an_address_where_nobody_listens(address: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        connect_socket(address)


def test_a_bus_of_another_host_is_not_sent_our_user_id() -> None:
    authentication = Authentication(is_local=False)
    assert authentication.greeting == b"\0AUTH EXTERNAL\r\n"
    assert authentication.receive(b"DA") == b""
    assert authentication.receive(b"TA\r\n") == b"DATA\r\n"
    assert not authentication.is_done
    assert authentication.receive(b"OK 0123456789abcdef0123456789abcdef\r\n") == b"BEGIN\r\n"
    assert authentication.is_done
