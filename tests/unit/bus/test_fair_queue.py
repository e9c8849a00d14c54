# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages as bytes: they are cut, rejected and queued."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace

import pytest

from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, Variant, count_cached_signatures, marshal
from dockmgrd.bus.exports import Exports
from dockmgrd.bus.fair_queue import FairQueue
from dockmgrd.bus.frames import Frame, FrameSplitter, HeaderField, Malformed
from dockmgrd.bus.interface import ObjectInterface
from dockmgrd.bus.introspection import parse
from dockmgrd.bus.transport import MAX_CALL_BYTES
from dockmgrd.errors import RemoteError

PEER = "org.freedesktop.DBus.Peer"


class Nothing(ObjectInterface):
    interface = parse('<node><interface name="org.example.Nothing"/></node>')


def call(serial: int = 1, text: str = "x") -> bytes:
    message = Message(
        path="/a",
        interface="b.c",
        member="D",
        signature="sv",
        body=[text, Variant("u", 5)],
        serial=serial,
    )
    return marshal(message)


def frames(*datas: bytes, longest: int = 1 << 20) -> list[Frame]:
    splitter = FrameSplitter(longest)
    return [frame for data in datas for frame in splitter.split(data)]


def sent_by(sender: str, serial: int) -> Frame:
    """The call as it comes from the bus, which says who sent it."""
    [frame] = frames(call(serial))
    return replace(frame, fields={**frame.fields, HeaderField.SENDER: sender})


def test_messages_are_cut_wherever_the_bytes_break() -> None:
    data = call() + call(serial=2, text="é" * 100) + call(serial=3)
    for size in (1, 7, 16, 50, len(data)):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        got = frames(*pieces)
        assert [frame.serial for frame in got] == [1, 2, 3]
        message = got[1].parse()
        assert message.body == ["é" * 100, Variant("u", 5)]
        assert (message.path, message.member) == ("/a", "D")


def test_a_message_that_is_too_long_passes_by_and_the_next_is_read() -> None:
    data = call() + call(serial=2, text="x" * 5000) + call(serial=3)
    for size in (1, 64, 700, len(data)):
        got = frames(*(data[at : at + size] for at in range(0, len(data), size)), longest=2000)
        assert [(frame.serial, frame.too_long) for frame in got] == [
            (1, False),
            (2, True),
            (3, False),
        ]
        assert len(got[1].data) < 200


@pytest.mark.parametrize(
    "data",
    [b"x" * 16, b"l\x01\x00\x02" + b"\0" * 12, struct.pack("<cBBBIII", b"l", 1, 0, 1, 2**31, 1, 0)],
)
def test_malformed_messages_end_the_connection(data: bytes) -> None:
    with pytest.raises(Malformed):
        frames(data)


def test_a_body_that_is_not_of_its_signature_is_malformed() -> None:
    data = bytearray(call(text="abcd"))
    at = data.index(b"\4\0\0\0abcd")
    data[at] = 200
    [frame] = frames(bytes(data))
    with pytest.raises(Malformed):
        frame.parse()


def test_signatures_of_callers_are_not_kept_for_ever() -> None:
    for number in range(3000):
        signature = "(" + "".join("su"[number >> bit & 1] for bit in range(12)) + ")"
        [frame] = frames(call())
        with suppress(Malformed):
            replace(frame, fields={**frame.fields, HeaderField.SIGNATURE: signature}).parse()
        assert count_cached_signatures() < 1000


def test_users_take_turns_and_have_a_limit() -> None:
    queue = FairQueue()
    flood = [sent_by(":1.1", serial) for serial in range(1, 2001)]
    taken = [queue.add("flooder", frame) for frame in flood]
    assert taken.count(True) == 1024
    assert queue.add("flooder", sent_by(":1.3", 1)), "another connection of the same user"
    queue.drop(":1.3")
    assert queue.add("other", sent_by(":1.2", 1))
    assert queue.add("other", sent_by(":1.2", 2))
    order = [frame.sender for frame in (queue.pop() for _ in range(5)) if frame]
    assert order == [":1.1", ":1.2", ":1.1", ":1.2", ":1.1"]
    assert queue.pop(lambda user: user == "nobody") is None
    queue.begin_round()
    assert not queue.may_skip_queue("flooder")
    assert not queue.may_skip_queue("a new connection of anybody"), "there is a crowd"
    assert queue.may_skip_queue(1000)
    assert not queue.may_skip_queue(1000), "once a round"
    queue.drop(":1.1")
    assert len(queue) == 0
    assert queue.pop() is None


def test_calls_of_a_connection_stay_in_order_when_its_user_becomes_known() -> None:
    queue = FairQueue()
    assert all(queue.add(":1.1", sent_by(":1.1", serial)) for serial in range(1, 12))
    assert queue.add(1000, sent_by(":1.2", 50))
    queue.set_user(":1.1", 1000)
    queue.set_user(":1.9", 1000)
    queue.begin_round()
    assert not queue.may_skip_queue(1000), "the next call does not overtake those that wait"
    assert queue.add(1000, sent_by(":1.1", 12))
    assert len(queue) == 13
    order = [frame.serial for frame in (queue.pop() for _ in range(13)) if frame]
    assert [serial for serial in order if serial != 50] == list(range(1, 13))
    assert len(queue) == 0


async def test_a_call_that_is_too_long_is_refused_unread(service_bus: Bus, client_bus: Bus) -> None:
    exports = Exports(service_bus, "/")
    exports.add("/", Nothing())
    await exports.follow_callers()
    where = (service_bus.unique_name, "/", PEER, "Ping")
    with pytest.raises(RemoteError, match="longer than"):
        await client_bus.call(*where, "ay", [bytes(MAX_CALL_BYTES)])
    assert await client_bus.call(*where) == []
    error = exports.get_last_error(client_bus.unique_name)
    assert error is not None
    assert error.to_plain()["id"] == "call-too-long"
