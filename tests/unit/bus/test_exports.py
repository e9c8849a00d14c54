# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exported objects on a real bus: every call gets one reply, without data of others."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bed.limits import HANG_TIMEOUT
from dockmgrd import errors, names
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag, Variant
from dockmgrd.bus.exports import MAX_CALLS_PER_CONNECTION, Exports
from dockmgrd.bus.interface import ObjectInterface, get_caller
from dockmgrd.bus.messages import PROPERTIES, Match
from dockmgrd.daemon.job_state import Job
from dockmgrd.daemon.service import JobInterface
from dockmgrd.enums import JobState, Kind, Stage
from dockmgrd.model import JobRequest, JobResult, Progress
from dockmgrd.paths import INTERFACES

PATH = "/org/example/Thing"
PEER = "org.freedesktop.DBus.Peer"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"

THING = interfaces.parse(
    """<node><interface name="org.example.Thing">
    <method name="WhoCalls"><arg name="pause" type="d" direction="in"/>
      <arg name="who" type="s" direction="out"/></method>
    <method name="AsksPolitely"><arg name="yes" type="b" direction="out"/></method>
    <method name="WaitForRelease"/>
    <method name="Break"/><method name="Refuse"/><method name="GiveUp"/>
    <method name="ReturnNonsense"><arg name="number" type="u" direction="out"/></method>
    <property name="Colour" type="s" access="read"/>
    <property name="Size" type="u" access="read"/>
    </interface></node>"""
)


class Thing(ObjectInterface):
    interface = THING

    def __init__(self) -> None:
        super().__init__(Colour="red", Size=1)
        self.released = asyncio.Event()

    async def who_calls(self, pause: float) -> str:
        await asyncio.sleep(pause)
        return get_caller().sender

    async def asks_politely(self) -> bool:
        return get_caller().interactive

    async def wait_for_release(self) -> None:
        await self.released.wait()

    async def refuse(self) -> None:
        raise errors.Busy("Job x is running; wait for it.")

    async def give_up(self) -> None:
        raise asyncio.CancelledError

    async def return_nonsense(self) -> str:
        return "no number"


async def _break(_self: Thing) -> None:
    raise RuntimeError("secret of /root/.bash_history")


setattr(Thing, "break", _break)


@pytest.fixture
def exports(service_bus: Bus) -> Exports:
    return Exports(service_bus, "/org/example")


@pytest.fixture
def thing(exports: Exports) -> Thing:
    thing = Thing()
    exports.add("/org/example", ManagerInterface())
    exports.add(PATH, thing)
    return thing


class ManagerInterface(ObjectInterface):
    interface = interfaces.parse('<node><interface name="org.example.Manager"/></node>')


async def call(client: Bus, service: Bus, member: str, *body: Any, **options: Any) -> list[Any]:
    interface = options.pop("interface", THING.name)
    path = options.pop("path", PATH)
    signature = options.pop("signature", "")
    return await client.call(
        service.unique_name, path, interface, member, signature, body, **options
    )


async def test_interleaved_calls_each_know_their_own_caller(
    thing: Thing, service_bus: Bus, bus_address: str
) -> None:
    clients = [await Bus(bus_address).connect() for _ in range(3)]
    calls = [
        call(client, service_bus, "WhoCalls", 0.03 * ((index + turn) % 3), signature="d")
        for turn in range(2)
        for index, client in enumerate(clients)
    ]
    answers = await asyncio.gather(*calls)
    assert [answer for [answer] in answers] == [each.unique_name for each in clients] * 2
    for client in clients:
        client.disconnect()


async def test_the_interactive_flag_of_the_message_reaches_the_method(
    thing: Thing, service_bus: Bus, client_bus: Bus
) -> None:
    flags = MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION
    assert await call(client_bus, service_bus, "AsksPolitely", flags=flags) == [True]
    assert await call(client_bus, service_bus, "AsksPolitely") == [False]


async def test_an_unexpected_error_tells_the_caller_an_incident_and_nothing_else(
    thing: Thing, service_bus: Bus, client_bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(errors.RemoteError) as caught:
        await call(client_bus, service_bus, "Break")
    assert caught.value.name == "org.dockmgr1.Error.Internal"
    assert "secret" not in caught.value.reply
    assert "Traceback" not in caught.value.reply
    assert "secret" in caplog.text, "the traceback is for the journal"


async def test_a_result_of_the_wrong_type_is_an_incident_too(
    thing: Thing, service_bus: Bus, client_bus: Bus
) -> None:
    with pytest.raises(errors.RemoteError) as caught:
        await call(client_bus, service_bus, "ReturnNonsense")
    assert caught.value.name == "org.dockmgr1.Error.Internal"


async def test_refusals_carry_their_name_and_sentence_and_are_not_logged(
    thing: Thing, service_bus: Bus, client_bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(errors.RemoteError) as caught:
        await call(client_bus, service_bus, "Refuse")
    assert (caught.value.name, caught.value.reply) == (
        "org.dockmgr1.Error.Busy",
        "Job x is running; wait for it.",
    )
    with pytest.raises(errors.RemoteError):
        await call(
            client_bus,
            service_bus,
            "Get",
            THING.name,
            "\x1b[31mRed\nfake entry",
            interface=PROPERTIES,
            signature="ss",
        )
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_cancelled_method_still_replies(
    thing: Thing, service_bus: Bus, client_bus: Bus
) -> None:
    with pytest.raises(errors.RemoteError) as caught:
        await call(client_bus, service_bus, "GiveUp", timeout=HANG_TIMEOUT)
    assert caught.value.name == errors.NoReply.dbus_name


async def test_peer_answers_again_and_again(
    thing: Thing, service_bus: Bus, client_bus: Bus
) -> None:
    if not Path("/etc/machine-id").exists():
        pytest.skip("this machine has no id")
    ids = [await call(client_bus, service_bus, "GetMachineId", interface=PEER) for _ in range(3)]
    assert ids == [[Path("/etc/machine-id").read_text().strip()]] * 3
    assert await call(client_bus, service_bus, "Ping", interface=PEER) == []


async def test_a_call_may_leave_the_interface_out(
    thing: Thing, service_bus: Bus, client_bus: Bus
) -> None:
    assert await call(client_bus, service_bus, "AsksPolitely", interface=None) == [False]
    assert await call(client_bus, service_bus, "Ping", interface=None) == []


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"path": "/org/nowhere"}, "UnknownObject"),
        ({"interface": "org.example.Other"}, "UnknownInterface"),
        ({"member": "Fly"}, "UnknownMethod"),
        ({"member": "Fly", "interface": None}, "UnknownMethod"),
        ({"member": "WhoCalls", "body": ("x",), "signature": "s"}, "InvalidArgs"),
    ],
)
async def test_missing_members_are_named(
    thing: Thing, service_bus: Bus, client_bus: Bus, options: dict[str, Any], name: str
) -> None:
    member = options.get("member", "AsksPolitely")
    body = options.get("body", ())
    rest = {key: value for key, value in options.items() if key not in ("member", "body")}
    with pytest.raises(errors.RemoteError) as caught:
        await call(client_bus, service_bus, member, *body, **rest)
    assert caught.value.name == f"org.freedesktop.DBus.Error.{name}"


async def test_properties_are_read_only_and_announced_when_they_change(
    thing: Thing, service_bus: Bus, client_bus: Bus
) -> None:
    heard: list[list[Any]] = []
    match = Match(service_bus.unique_name, PROPERTIES, "PropertiesChanged", PATH)
    await client_bus.subscribe(match, lambda message: heard.append(message.body))
    thing.set_properties(Colour="red", Size=2)
    thing.set_properties(Size=2)
    [values] = await call(
        client_bus, service_bus, "GetAll", THING.name, interface=PROPERTIES, signature="s"
    )
    assert {name: variant.value for name, variant in values.items()} == {"Colour": "red", "Size": 2}
    assert heard == [[THING.name, {"Size": Variant("u", 2)}, []]]
    with pytest.raises(errors.RemoteError) as caught:
        await call(
            client_bus,
            service_bus,
            "Set",
            THING.name,
            "Size",
            Variant("u", 7),
            interface=PROPERTIES,
            signature="ssv",
        )
    assert caught.value.name == "org.freedesktop.DBus.Error.PropertyReadOnly"
    assert thing.properties["Size"] == 2


async def test_the_object_manager_announces_from_its_own_path(
    thing: Thing, exports: Exports, service_bus: Bus, client_bus: Bus
) -> None:
    heard: list[tuple[str, str]] = []
    for member in ("InterfacesAdded", "InterfacesRemoved"):
        match = Match(service_bus.unique_name, OBJECT_MANAGER, member)
        await client_bus.subscribe(
            match, lambda message: heard.append((message.path, message.body[0]))
        )
    exports.add("/org/example/Other", Thing())
    exports.remove("/org/example/Other")
    [managed] = await call(
        client_bus, service_bus, "GetManagedObjects", interface=OBJECT_MANAGER, path="/org/example"
    )
    assert list(managed) == [PATH]
    assert heard == [("/org/example", "/org/example/Other")] * 2


def described(node: ElementTree.Element, name: str) -> object:
    """All elements and attributes of the interface, without spaces and comments."""
    [interface] = node.findall(f"interface[@name='{name}']")
    return [(each.tag, each.attrib) for each in interface.iter()]


async def test_introspection_is_the_interface_file_with_names_and_annotations(
    service_bus: Bus, client_bus: Bus
) -> None:
    exports = Exports(service_bus, names.MANAGER_PATH)
    exports.add(names.job_path("1"), JobInterface(_job(), None, None))  # type: ignore[arg-type]
    [text] = await call(
        client_bus, service_bus, "Introspect", path=names.job_path("1"), interface=INTROSPECTABLE
    )
    assert interfaces.load(names.JOB_INTERFACE).xml in text
    assert 'name="error_message"' in text
    assert "EmitsChangedSignal" in text
    assert "QtDBus.QtTypeName" in text
    tree = ElementTree.parse(INTERFACES / f"{names.JOB_INTERFACE}.xml")
    assert described(ElementTree.fromstring(text), names.JOB_INTERFACE) == described(
        tree.getroot(), names.JOB_INTERFACE
    )
    [root] = await call(client_bus, service_bus, "Introspect", path="/", interface=INTROSPECTABLE)
    assert '<node name="org"/>' in root


async def test_two_objects_of_one_interface_signal_from_their_own_paths(
    service_bus: Bus, client_bus: Bus
) -> None:
    exports = Exports(service_bus, names.MANAGER_PATH)
    heard: list[str] = []
    match = Match(service_bus.unique_name, names.JOB_INTERFACE, "Finished")
    await client_bus.subscribe(match, lambda message: heard.append(message.path))
    jobs = {name: _job() for name in ("1", "2")}
    exported = {name: JobInterface(job, None, None) for name, job in jobs.items()}  # type: ignore[arg-type]
    for name, thing in exported.items():
        exports.add(names.job_path(name), thing)
    for name in ("1", "2", "1"):
        jobs[name].result = JobResult(JobState.DONE, 5)
        jobs[name].progress = Progress(Stage.FINISHED, 1.0)
        exported[name].update()
    await call(client_bus, service_bus, "Ping", path=names.job_path("1"), interface=PEER)
    assert heard == [names.job_path("1"), names.job_path("2")]


async def test_a_file_descriptor_sent_to_us_does_not_stay_open(
    thing: Thing, service_bus: Bus, bus_address: str
) -> None:
    from dbus_next.aio.message_bus import MessageBus  # dockmgrd.dbusnext made it importable

    client = await MessageBus(bus_address=bus_address, negotiate_unix_fd=True).connect()
    before = len(os.listdir("/proc/self/fd"))
    read_end, write_end = os.pipe()
    for _ in range(5):
        message = Message(
            destination=service_bus.unique_name,
            path=PATH,
            interface=THING.name,
            member="AsksPolitely",
            signature="h",
            body=[0],
            unix_fds=[read_end],
        )
        reply = await client.call(message)
        assert reply.error_name
    os.close(read_end)
    os.close(write_end)
    assert len(os.listdir("/proc/self/fd")) == before
    client.disconnect()
    await client.wait_for_disconnect()
    client._stream.close()
    client._sock.close()


async def test_a_connection_that_waits_for_too_much_is_refused_and_others_are_not(
    thing: Thing, service_bus: Bus, client_bus: Bus, bus_address: str
) -> None:
    def hold(client: Bus) -> asyncio.Future[list[Any]]:
        return asyncio.ensure_future(
            call(client, service_bus, "WaitForRelease", timeout=HANG_TIMEOUT)
        )

    held = [hold(client_bus) for _ in range(MAX_CALLS_PER_CONNECTION)]
    await client_bus.flush()
    with pytest.raises(errors.RemoteError) as caught:
        await hold(client_bus)
    assert caught.value.name == "org.freedesktop.DBus.Error.LimitsExceeded"
    async with Bus(bus_address) as other:
        assert await call(other, service_bus, "AsksPolitely") == [False]
    thing.released.set()
    await asyncio.gather(*held)
    assert await call(client_bus, service_bus, "AsksPolitely") == [False]


async def test_callers_are_known_until_they_leave(
    thing: Thing, exports: Exports, service_bus: Bus, client_bus: Bus, bus_address: str
) -> None:
    await exports.follow_callers()
    async with Bus(bus_address) as bystander:
        await bystander.flush()
        assert not exports.in_use
    async with Bus(bus_address) as client:
        await call(client, service_bus, "AsksPolitely")
        assert exports.in_use
    await client_bus.flush()
    await service_bus.flush()
    assert not exports.in_use


def test_glib_part_of_dbus_next_is_not_imported() -> None:
    assert "dbus_next.message" in sys.modules
    assert not sys.modules.keys() & {"gi", "dbus_next.glib"}


def _job() -> Job:
    return Job(JobRequest("20260101T000000_abcdef", Kind.INSTALL, {}, 0, 1))
