# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon owns its name before it knows its jobs; calls in the meantime wait."""

from __future__ import annotations

import asyncio

import pytest

from dockmgrd import names
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message
from dockmgrd.bus.exports import Exports
from dockmgrd.daemon import logcontrol, main
from dockmgrd.daemon.callers import Callers
from dockmgrd.daemon.early_calls import MAX_EARLY_CALLS, EarlyCalls
from dockmgrd.errors import RemoteError, ServiceFailed

PEER = "org.freedesktop.DBus.Peer"
NAME = "org.example"


async def ping(bus: Bus) -> None:
    await bus.call(NAME, logcontrol.PATH, PEER, "Ping")


async def answering(bus: Bus) -> EarlyCalls:
    """A service that does not answer yet."""
    Exports(bus, "/").add(logcontrol.PATH, logcontrol.LogControlInterface(Callers(bus)))
    early = EarlyCalls(bus)
    await bus.own_name(NAME)
    return early


async def test_calls_wait_until_they_can_be_answered(service_bus: Bus, client_bus: Bus) -> None:
    early = await answering(service_bus)
    calls = [asyncio.ensure_future(ping(client_bus)) for _ in range(3)]
    await client_bus.flush()
    await service_bus.flush()
    assert not any(call.done() for call in calls)
    early.release()
    await asyncio.gather(*calls)
    await ping(client_bus)


async def test_no_more_calls_wait_than_there_is_room_for(service_bus: Bus, client_bus: Bus) -> None:
    early = await answering(service_bus)
    calls = [asyncio.ensure_future(ping(client_bus)) for _ in range(MAX_EARLY_CALLS + 5)]
    done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    early.release()
    results = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [each for each in results if isinstance(each, RemoteError)]
    assert done
    assert {each.name for each in refusals} == {"org.freedesktop.DBus.Error.LimitsExceeded"}
    assert len(refusals) == 5


async def test_a_second_daemon_is_a_sentence(service_bus: Bus, client_bus: Bus) -> None:
    await main.own_bus_name(service_bus)
    with pytest.raises(ServiceFailed, match=r"Another process owns org\.dockmgr1 .* already runs"):
        await main.own_bus_name(client_bus)


async def test_a_name_that_the_bus_refuses_is_a_sentence(
    service_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "BUS_NAME", "org.freedesktop.DBus")
    with pytest.raises(ServiceFailed, match=r"The system bus does not give .*: .+\."):
        await main.own_bus_name(service_bus)


async def test_calls_that_expect_no_reply_get_none(service_bus: Bus, client_bus: Bus) -> None:
    early = await answering(service_bus)
    for _ in range(MAX_EARLY_CALLS + 1):
        message = Message(destination=NAME, path=logcontrol.PATH, interface=PEER, member="Ping")
        message.flags |= 1
        client_bus.send(message)
    call = asyncio.ensure_future(ping(client_bus))
    with pytest.raises(RemoteError):
        await call
    early.release()
    await ping(client_bus)
