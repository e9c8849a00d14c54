# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unknown header fields: any user can send them, and dbus-broker forwards them."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, Variant, marshal
from dockmgrd.bus.frames import Frame, FrameSplitter, HeaderField, Malformed

PING = ["/", "org.freedesktop.DBus.Peer", "Ping"]
VALUES: tuple[tuple[str, Any], ...] = (
    *(("b", True), ("y", 7), ("n", -1), ("q", 1), ("i", -1), ("u", 1), ("x", -1), ("t", 1)),
    *(("d", 0.5), ("s", "é"), ("o", "/x"), ("g", "a{sv}"), ("as", []), ("as", ["a", "bc"])),
    *(("at", []), ("at", [1]), ("a{sv}", {}), ("a{sv}", {"a": Variant("as", ["x"])})),
    *(("(yx)", [1, 2]), ("a(y(sv))", [[1, ["s", Variant("u", 1)]]]), ("aaas", [[["x"], []], []])),
    *(("v", Variant("v", Variant("a{u(ss)}", {1: ["a", "b"]}))), ("ay", b"x" * 500)),
)


def message_with(*unknown: tuple[int, Variant], sender: str = ":1.7") -> bytes:
    """A call of Ping as it comes from a bus, with more header fields."""
    known = [
        (HeaderField.PATH, Variant("o", PING[0])),
        (HeaderField.INTERFACE, Variant("s", PING[1])),
        (HeaderField.MEMBER, Variant("s", PING[2])),
    ]
    fields = [[int(code), value] for code, value in (*known[:1], *unknown, *known[1:])]
    fields.append([int(HeaderField.SENDER), Variant("s", sender)])
    # A body has the alignment of a header behind its first 12 bytes, with 4 more before it.
    carrier = Message(
        path="/", interface="a.b", member="C", signature="ua(yv)", body=[0, fields], serial=1
    )
    data = marshal(carrier)
    [body_size] = struct.unpack_from("<I", data, 4)
    [size] = struct.unpack_from("<I", data, len(data) - body_size + 4)
    array = data[len(data) - body_size + 8 :]
    header = struct.pack("<cBBBIII", b"l", 1, 0, 1, 0, 9, size) + array
    return header + b"\0" * (-len(header) % 8)


def split(data: bytes) -> list[Frame]:
    return list(FrameSplitter(1 << 20).split(data))


@pytest.mark.parametrize(("signature", "value"), VALUES)
def test_a_field_of_any_type_that_does_not_exist_is_ignored(signature: str, value: Any) -> None:
    unknown = (99, Variant(signature, value))
    first, second = split(message_with(unknown) + message_with(unknown, (0, unknown[1])))
    for frame in (first, second):
        message = frame.parse()
        assert (message.path, message.interface, message.member) == tuple(PING)
        assert (frame.sender, message.serial) == (":1.7", 9)


@given(st.lists(st.sampled_from(VALUES), max_size=6))
def test_any_number_of_them(values: list[tuple[str, Any]]) -> None:
    fields = [(200 + index, Variant(*each)) for index, each in enumerate(values)]
    [frame] = split(message_with(*fields))
    assert frame.parse().member == "Ping"


def test_a_long_array_takes_no_longer_than_a_short_one() -> None:
    [frame] = split(message_with((99, Variant("ay", bytes(60_000)))))
    assert frame.sender == ":1.7"


@pytest.mark.parametrize(
    "field",
    [
        (HeaderField.MEMBER, Variant("u", 5)),
        (HeaderField.REPLY_SERIAL, Variant("s", "x")),
        (HeaderField.SIGNATURE, Variant("a{sv}", {})),
    ],
)
def test_a_message_with_a_wrong_header_is_dropped_and_the_next_is_read(
    field: tuple[int, Variant],
) -> None:
    [frame] = split(message_with(field) + message_with(sender=":1.8"))
    assert frame.sender == ":1.8"


@given(st.data())
def test_damaged_headers_end_nothing_but_their_message(data: st.DataObject) -> None:
    whole = bytearray(message_with((99, Variant("a{sv}", {"a": Variant("s", "b")}))))
    for _ in range(data.draw(st.integers(1, 8))):
        # Not the lengths of the message, with which the stream is lost.
        whole[data.draw(st.integers(16, len(whole) - 1))] = data.draw(st.integers(0, 255))
    *_, last = split(bytes(whole) + message_with(sender=":1.8"))
    assert last.sender == ":1.8"


async def test_a_connection_outlives_messages_with_fields_that_do_not_exist(tmp_path: Path) -> None:
    """A server plays dbus-broker: dbus-daemon removes the fields."""
    replies: asyncio.Queue[str] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n")
        writer.write(b"OK 0123456789abcdef0123456789abcdef\r\n")
        await reader.readuntil(b"BEGIN\r\n")
        splitter = FrameSplitter(1 << 20)
        while data := await reader.read(65536):
            for frame in splitter.split(data):
                message = frame.parse()
                if message.member == "Hello":
                    answer = Message.new_method_return(message, "s", [":1.1"])
                    answer.serial = 1
                    writer.write(marshal(answer))
                    strange = Variant("a{sv}", {"x": Variant("ay", b"y")})
                    writer.write(message_with((77, strange)) + message_with((2, strange)))
                    writer.write(message_with())
                else:
                    replies.put_nowait(message.error_name)
        writer.close()

    server = await asyncio.start_unix_server(serve, str(tmp_path / "bus"))
    async with server, Bus(f"unix:path={tmp_path / 'bus'}") as bus:
        for _ in range(2):
            assert (await asyncio.wait_for(replies.get(), 60)).endswith("UnknownMethod")
        assert bus.is_connected


@pytest.mark.parametrize("data", [b"l\x01\x00\x01" + b"\xff" * 12, b"\0" * 16])
def test_bytes_without_valid_lengths_end_the_connection(data: bytes) -> None:
    with pytest.raises(Malformed):
        split(data)
