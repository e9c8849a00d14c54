# SPDX-License-Identifier: LGPL-2.1-or-later
"""The connection survives attacks of other users of the bus."""

from __future__ import annotations

import asyncio

import pytest

from bed.limits import HANG_TIMEOUT
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag
from dockmgrd.bus.exports import Exports
from dockmgrd.bus.interface import ObjectInterface
from dockmgrd.bus.messages import Match
from dockmgrd.errors import NoReply, RemoteError

PEER = "org.freedesktop.DBus.Peer"
UNREAD_CALLS = 20_000


class Nothing(ObjectInterface):
    interface = interfaces.parse('<node><interface name="org.example.Nothing"/></node>')


async def test_a_client_that_calls_and_never_reads_takes_nobody_down(
    service_bus: Bus, client_bus: Bus, bus_address: str
) -> None:
    exports = Exports(service_bus, "/")
    exports.add("/", Nothing())
    await exports.follow_callers()
    flooder = await Bus(bus_address).connect()
    asyncio.get_running_loop().remove_reader(flooder.fileno())
    for _ in range(UNREAD_CALLS):
        flooder.send(
            Message(
                destination=service_bus.unique_name,
                path="/",
                interface="org.freedesktop.DBus.Introspectable",
                member="Introspect",
            )
        )
    for _ in range(20):
        await client_bus.call(service_bus.unique_name, "/", PEER, "Ping", timeout=HANG_TIMEOUT)
    flooder.disconnect()
    flooder._transport.link.end()
    await client_bus.call(service_bus.unique_name, "/", PEER, "Ping", timeout=HANG_TIMEOUT)
    assert service_bus.is_connected
    await service_bus.flush()
    await exports.drain(at_once=True)


async def test_a_burst_of_large_signals_waits_for_the_socket(
    service_bus: Bus, client_bus: Bus
) -> None:
    heard: list[str] = []
    match = Match(service_bus.unique_name, "org.example.Burst", "Tick")
    await client_bus.subscribe(match, lambda message: heard.append(message.body[0][:6]))
    for number in range(3000):
        body = [f"{number:06}" + "x" * 8192]
        service_bus.send(Message.new_signal("/", "org.example.Burst", "Tick", "s", body))
    await service_bus.flush()
    await client_bus.flush()
    assert heard == [f"{number:06}" for number in range(3000)]


async def test_an_error_without_a_text_is_an_error_like_any(
    service_bus: Bus, client_bus: Bus
) -> None:
    def refuse(message: Message) -> None:
        reply = Message.new_error(message, "org.example.No", "")
        reply.signature, reply.body = "", []
        service_bus.send(reply)

    service_bus.on_call = refuse
    with pytest.raises(RemoteError) as caught:
        await client_bus.call(service_bus.unique_name, "/", PEER, "Ping")
    assert (caught.value.name, caught.value.reply) == ("org.example.No", "")


async def test_a_call_ends_after_its_timeout_and_leaves_nothing_behind(
    service_bus: Bus, client_bus: Bus
) -> None:
    service_bus.on_call = lambda message: None
    with pytest.raises(NoReply, match="did not answer Ping within"):
        await client_bus.call(service_bus.unique_name, "/", PEER, "Ping", timeout=0.05)
    assert client_bus.pending_calls == 0


async def test_a_cancellation_that_comes_with_the_reply_takes_effect(
    service_bus: Bus, client_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch = client_bus._router.dispatch

    def take_and_cancel(reply: Message) -> None:
        dispatch(reply)
        asking.cancel()

    service_bus.on_call = lambda call: service_bus.send(Message.new_method_return(call))
    monkeypatch.setattr(client_bus._router, "dispatch", take_and_cancel)
    asking = asyncio.ensure_future(client_bus.call(service_bus.unique_name, "/", PEER, "Ping"))
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_connection_that_offers_nothing_says_so(service_bus: Bus, client_bus: Bus) -> None:
    with pytest.raises(RemoteError) as caught:
        await client_bus.call(service_bus.unique_name, "/", PEER, "Ping")
    assert caught.value.name == "org.freedesktop.DBus.Error.UnknownMethod"


async def test_signals_are_taken_from_their_sender_alone(
    service_bus: Bus, client_bus: Bus, bus_address: str
) -> None:
    await service_bus.own_name("org.example.Real")
    heard: list[str] = []
    match = Match("org.example.Real", "org.example.Thing", "Done", "/")
    await client_bus.subscribe(match, lambda message: heard.append(message.body[0]))

    def signal_from(bus: Bus, text: str) -> None:
        message = Message.new_signal("/", "org.example.Thing", "Done", "s", [text])
        message.destination = client_bus.unique_name
        bus.send(message)

    async with Bus(bus_address) as forger:
        signal_from(forger, "forged")
        await forger.flush()
        signal_from(service_bus, "real")
        await service_bus.flush()
        await client_bus.flush()
        assert heard == ["real"]
        await service_bus.call_bus("ReleaseName", "s", "org.example.Real")
        await forger.own_name("org.example.Real")
        signal_from(forger, "from the new owner")
        await forger.flush()
        await client_bus.flush()
    assert heard == ["real", "from the new owner"]


async def test_a_subscription_can_be_ended(service_bus: Bus, client_bus: Bus) -> None:
    heard: list[str] = []
    match = Match(service_bus.unique_name, "org.example.Thing", "Done")
    unsubscribe = await client_bus.subscribe(match, lambda message: heard.append(message.member))
    unsubscribe()
    service_bus.send(Message.new_signal("/", "org.example.Thing", "Done"))
    await service_bus.flush()
    await client_bus.flush()
    assert heard == []


async def test_a_second_owner_of_a_name_is_refused(service_bus: Bus, client_bus: Bus) -> None:
    await service_bus.own_name("org.example.Taken")
    with pytest.raises(RemoteError, match="owned by another process"):
        await client_bus.own_name("org.example.Taken")


async def test_calls_in_flight_end_when_the_bus_does(bus_address: str, service_bus: Bus) -> None:
    service_bus.on_call = lambda message: None
    client = await Bus(bus_address).connect()
    waiting = asyncio.ensure_future(
        client.call(service_bus.unique_name, "/", PEER, "Ping", timeout=None)
    )
    await client.flush()
    client.disconnect()
    with pytest.raises(NoReply, match="connection to the system bus ended"):
        await waiting


async def test_no_reply_is_sent_where_none_is_wanted(
    service_bus: Bus, client_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    Exports(service_bus, "/").add("/", Nothing())
    sent: list[Message] = []
    send = service_bus.send

    def record(msg: Message) -> None:
        sent.append(msg)
        send(msg)

    monkeypatch.setattr(service_bus, "send", record)
    client_bus.send(
        Message(
            destination=service_bus.unique_name,
            path="/",
            interface=PEER,
            member="Ping",
            flags=MessageFlag.NO_REPLY_EXPECTED,
        )
    )
    await client_bus.call(service_bus.unique_name, "/", PEER, "Ping")
    assert len(sent) == 1
