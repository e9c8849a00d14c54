# SPDX-License-Identifier: LGPL-2.1-or-later
"""Splits the bytes from the bus into messages, and reads the header of each.

To parse a body takes far more time than to send one, and any local user may send us up to 32 MiB.
The header gives the sender and the length of a message before its body is parsed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from dockmgrd.bus.dbusnext import Message, MessageFlag, MessageType, parse_body

_FIXED_HEADER_BYTES = 16
_MAX_HEADER_BYTES = 1 << 16
_MAX_MESSAGE_BYTES = 1 << 27
_LITTLE_ENDIAN = ord("l")

METHOD_CALL = int(MessageType.METHOD_CALL.value)
SIGNAL = int(MessageType.SIGNAL.value)

_ALIGNMENTS = {
    "y": 1,
    "g": 1,
    "v": 1,
    "n": 2,
    "q": 2,
    "b": 4,
    "i": 4,
    "u": 4,
    "h": 4,
    "s": 4,
    "o": 4,
    "a": 4,
    "x": 8,
    "t": 8,
    "d": 8,
    "(": 8,
    "{": 8,
}
_UNREADABLE = (ValueError, TypeError, LookupError, EOFError, struct.error, RecursionError)


class HeaderField(IntEnum):
    """The header fields that we read."""

    PATH = 1
    INTERFACE = 2
    MEMBER = 3
    ERROR_NAME = 4
    REPLY_SERIAL = 5
    DESTINATION = 6
    SENDER = 7
    SIGNATURE = 8


_FIELD_TYPES: dict[int, str] = {
    **dict.fromkeys(HeaderField, "s"),
    HeaderField.PATH: "o",
    HeaderField.REPLY_SERIAL: "u",
    HeaderField.SIGNATURE: "g",
}


_ATTRIBUTES = {int(field): field.name.lower() for field in HeaderField}
"""The names of the fields in dbus-next's Message."""


class Malformed(Exception):
    """Bytes that are not a D-Bus message."""


@dataclass(frozen=True)
class Frame:
    """One message: its header, and all of its bytes unless it is `too_long`."""

    type: int
    flags: int
    serial: int
    fields: dict[int, Any]
    data: bytes
    body_offset: int
    little_endian: bool
    length: int
    """Bytes of the whole message."""

    @property
    def too_long(self) -> bool:
        return len(self.data) < self.length

    @property
    def sender(self) -> str:
        """The unique name of the sender; "" if the header does not have it."""
        return str(self.fields.get(HeaderField.SENDER, ""))

    @property
    def wants_reply(self) -> bool:
        return not self.flags & MessageFlag.NO_REPLY_EXPECTED

    @property
    def reply_serial(self) -> int:
        """The serial of the call that this replies to; 0 if it is not a reply."""
        return int(self.fields.get(HeaderField.REPLY_SERIAL, 0))

    def is_signal(self, sender: str, interface: str, member: str) -> bool:
        """Whether the header has these three values."""
        return (
            self.fields.get(HeaderField.SENDER) == sender
            and self.fields.get(HeaderField.MEMBER) == member
            and self.fields.get(HeaderField.INTERFACE) == interface
        )

    def make_error_reply(self, error_name: str, text: str) -> Message:
        """Return a reply to a call whose body is not parsed."""
        return Message(
            message_type=MessageType.ERROR,
            destination=self.sender,
            error_name=error_name,
            reply_serial=self.serial,
            signature="s",
            body=[text],
        )

    def parse(self) -> Message:
        """Return the whole message.

        :raises Malformed: if a value is not valid.
        """
        fields = {name: self.fields.get(code) for code, name in _ATTRIBUTES.items()}
        signature = fields["signature"] = self.fields.get(HeaderField.SIGNATURE, "")
        try:
            return Message(
                message_type=MessageType(self.type),
                flags=MessageFlag(self.flags),
                serial=self.serial,
                body=parse_body(
                    signature, self.data, self.body_offset, little_endian=self.little_endian
                ),
                **fields,
            )
        except _UNREADABLE as error:
            raise Malformed(f"a message that cannot be parsed: {error}") from error


class FrameSplitter:
    """Splits bytes into frames.

    :param max_bytes: a call or a signal of this length or more is `too_long`: of these messages,
        which any user can send us, the frame has the header alone.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._buffer = bytearray()
        self._bytes_to_drop = 0

    def split(self, data: bytes) -> Iterator[Frame]:
        """Yield the messages that `data` completes.

        A message whose header cannot be parsed is dropped: nobody can get an error reply.

        :raises Malformed: if the bytes are not D-Bus messages, so that the connection is lost.
        """
        self._buffer += data
        while self._drop_bytes() and len(self._buffer) >= _FIXED_HEADER_BYTES:
            body_offset, length = _read_lengths(self._buffer)
            from_anybody = self._buffer[1] in (METHOD_CALL, SIGNAL)
            size = length
            if from_anybody and length >= self.max_bytes:
                size = body_offset if body_offset <= _MAX_HEADER_BYTES else 0
            if len(self._buffer) < size:
                return
            frame = _make_frame(bytes(self._buffer[:size]), body_offset, length) if size else None
            self._bytes_to_drop = length
            if frame is not None:
                yield frame

    def _drop_bytes(self) -> bool:
        """Drop what is left of the message before; return whether all of it has arrived."""
        dropped = min(self._bytes_to_drop, len(self._buffer))
        if dropped:
            del self._buffer[:dropped]
            self._bytes_to_drop -= dropped
        return not self._bytes_to_drop


def _read_lengths(buffer: bytearray) -> tuple[int, int]:
    """Return where the body begins and the length of the message, from its first 16 bytes.

    :raises Malformed: if the buffer does not begin with a D-Bus message.
    """
    body, _, fields = struct.unpack_from(
        "<III" if buffer[0] == _LITTLE_ENDIAN else ">III", buffer, 4
    )
    body_offset = _FIXED_HEADER_BYTES + fields + (-fields & 7)
    length = body_offset + body
    if buffer[0] not in b"lB" or buffer[3] != 1 or length > _MAX_MESSAGE_BYTES:
        raise Malformed("these bytes are not a D-Bus message")
    return body_offset, length


def _make_frame(data: bytes, body_offset: int, length: int) -> Frame | None:
    """Return the frame; None if the header cannot be parsed."""
    little_endian = data[0] == _LITTLE_ENDIAN
    order = "<I" if little_endian else ">I"
    try:
        [serial] = struct.unpack_from(order, data, 8)
        fields = _parse_fields(data, order)
    except _UNREADABLE:
        return None
    return Frame(data[1], data[2], serial, fields, data, body_offset, little_endian, length)


def _parse_fields(data: bytes, order: str) -> dict[int, Any]:
    """Return the header fields by code. Fields that we do not know are ignored.

    :raises ValueError, LookupError, struct.error, RecursionError: if they are not valid.
    """
    [size] = struct.unpack_from(order, data, 12)
    fields: dict[int, Any] = {}
    offset, end = _FIXED_HEADER_BYTES, _FIXED_HEADER_BYTES + size
    while offset < end:
        offset += -offset & 7
        code = data[offset]
        types = _read_short_string(data, offset + 1)
        start = offset + 3 + len(types)
        offset = _skip_values(types, data, start, order)
        if offset > end:
            raise ValueError("a header field is longer than the header")
        if code in _FIELD_TYPES:
            if types != _FIELD_TYPES[code]:
                raise ValueError(f"header field {code} has type '{types}'")
            if types == "u":
                [fields[code]] = struct.unpack_from(order, data, offset - 4)
            else:
                start += 1 if types == "g" else 4 + (-start & 3)
                fields[code] = data[start : offset - 1].decode()
    return fields


def _read_short_string(data: bytes, offset: int) -> str:
    """Return the signature at the offset: a byte for its length, then its letters."""
    return data[offset + 1 : offset + 1 + data[offset]].decode("ascii")


def _skip_values(types: str, data: bytes, offset: int, order: str) -> int:
    """Return where the values of these types end. This takes the same time for long arrays.

    Any user can send header fields that do not exist, with values of any type: dbus-daemon removes
    such fields, dbus-broker does not.
    """
    if types in ("s", "o"):  # almost all fields of all messages
        offset += -offset & 3
        return offset + 5 + int(struct.unpack_from(order, data, offset)[0])
    index = 0
    while index < len(types):
        kind = types[index]
        index += 1
        if kind in ")}":
            continue
        alignment = _ALIGNMENTS[kind]
        offset += -offset % alignment
        if kind == "a":
            [size] = struct.unpack_from(order, data, offset)
            offset += 4
            offset += -offset % _ALIGNMENTS[types[index]] + size
            index = _find_end_of_type(types, index)
        elif kind in "so":
            [size] = struct.unpack_from(order, data, offset)
            offset += 5 + size
        elif kind == "g":
            offset += 2 + data[offset]
        elif kind == "v":
            inner = _read_short_string(data, offset)
            offset = _skip_values(inner, data, offset + 2 + len(inner), order)
        elif kind not in "({":
            offset += alignment  # the size of these types is their alignment
    return offset


def _find_end_of_type(types: str, index: int) -> int:
    """Return where the complete type at the index ends."""
    while types[index] == "a":
        index += 1
    depth = 0
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(types[index], 0)
        index += 1
        if depth == 0:
            return index
