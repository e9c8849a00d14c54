# SPDX-License-Identifier: LGPL-2.1-or-later
"""The blocking connection of dockmgrctl: calls, signals, senders and disconnects."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import TypeVar

import pytest

from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag
from dockmgrd.bus.frames import Frame, Malformed
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match
from dockmgrd.bus.router import Pending
from dockmgrd.cli.waiting import Stopped, catch_signals, wait_until_readable
from dockmgrd.errors import NoReply, RemoteError

T = TypeVar("T")
NAME = "org.example.Sender"
WANTED = Match(NAME, "org.example.Thing", "Moved", "/thing")


@pytest.fixture(autouse=True)
def on_this_bus(bus_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_address)


def wait(descriptor: int, timeout: float | None) -> bool:
    return wait_until_readable(descriptor, timeout=timeout)


async def aside(work: Callable[[], T]) -> T:
    """Do what waits in a thread: the other side of the connection is in this one."""
    return await asyncio.get_running_loop().run_in_executor(None, work)


def moved(destination: str, number: int) -> Message:
    message = Message.new_signal("/thing", "org.example.Thing", "Moved", "u", [number])
    message.destination = destination
    return message


async def test_a_call_is_answered_and_an_error_is_raised() -> None:
    def talk() -> None:
        connection = Connection(wait)
        [names] = connection.call_bus("ListNames")
        assert DBUS in names
        with pytest.raises(RemoteError) as caught:
            connection.call_bus("GetNameOwner", "s", "org.example.Nobody")
        assert caught.value.name.endswith("NameHasNoOwner")
        connection.close()

    await aside(talk)


async def test_a_call_that_is_not_answered_has_an_end(service_bus: Bus) -> None:
    service_bus.on_call = lambda _: None

    def talk() -> None:
        connection = Connection(wait)
        with pytest.raises(NoReply, match="did not answer Ponder in time"):
            connection.call(
                service_bus.unique_name, "/", "org.example.Thing", "Ponder", timeout=0.05
            )
        connection.close()

    await aside(talk)


async def test_signals_are_taken_from_the_owner_of_the_name_alone(
    service_bus: Bus, client_bus: Bus
) -> None:
    await service_bus.own_name(NAME)
    heard: list[int] = []
    connection = await aside(lambda: Connection(wait))
    await aside(lambda: connection.subscribe(WANTED, lambda each: heard.append(each.body[0])))
    client_bus.send(moved(connection.unique_name, 1))
    await client_bus.flush()
    service_bus.send(moved(connection.unique_name, 2))
    await service_bus.flush()
    await aside(lambda: connection.call_bus("GetId"))
    assert heard == [2]
    connection.close()


async def test_messages_of_strangers_are_not_parsed(
    client_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await aside(lambda: Connection(wait))
    await aside(lambda: connection.subscribe(WANTED, lambda _: None))
    read: list[str] = []
    whole = Frame.parse

    def parse(frame: Frame) -> Message:
        if frame.sender == client_bus.unique_name:
            read.append(frame.sender)
            raise Malformed("nobody can read this")
        return whole(frame)

    monkeypatch.setattr(Frame, "parse", parse)
    client_bus.send(moved(connection.unique_name, 1))
    call = Message(connection.unique_name, "/thing", "org.example.Thing", "Hold")
    call.flags = MessageFlag.NO_REPLY_EXPECTED
    client_bus.send(call)
    large = Message.new_signal("/thing", "org.example.Thing", "Moved", "s", ["x" * (2 << 20)])
    large.destination = connection.unique_name
    client_bus.send(large)
    assert await aside(lambda: connection.call_bus("GetId"))
    await client_bus.flush()
    assert await aside(lambda: connection.call_bus("GetId"))
    assert read == []
    connection.close()


async def test_subscriptions_to_the_owner_do_not_affect_ours(bus_address: str) -> None:
    heard: list[int] = []
    connection = await aside(lambda: Connection(wait))
    await aside(lambda: connection.subscribe(WANTED, lambda each: heard.append(each.body[0])))
    owners = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, NAME)
    await aside(lambda: connection.subscribe(owners, lambda _: None))
    async with Bus(bus_address) as late:
        await late.own_name(NAME)
        late.send(moved(connection.unique_name, 3))
        await late.flush()
        await aside(lambda: connection.call_bus("GetId"))
    assert heard == [3]
    connection.close()


async def test_the_end_of_the_bus_ends_what_waits(service_bus: Bus) -> None:
    service_bus.on_call = lambda _: None
    connection = await aside(lambda: Connection(wait))

    def wait_for(pending: Pending) -> None:
        while pending.reply is None:
            connection.process()

    def talk() -> None:
        pending = connection.begin_call(service_bus.unique_name, "/", "org.example.Thing", "Ponder")
        connection._socket.shutdown(socket.SHUT_RDWR)
        with pytest.raises(NoReply, match="ended"):
            wait_for(pending)
        with pytest.raises(NoReply, match="ended"):
            connection.call_bus("GetId")

    await aside(talk)


def test_a_signal_that_tells_to_stop_is_heard_where_something_is_waited_for() -> None:
    read, write = os.pipe()
    with catch_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped) as caught:
            wait_until_readable(read)
        assert caught.value.number == signal.SIGTERM
        os.write(write, b"x")
        assert wait_until_readable(read)
        assert not wait_until_readable(timeout=0.01)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    os.close(read)
    os.close(write)
