# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages as bytes: cut out of what arrives, with a look at the header alone.

A body costs its reader far more than its sender, and any local user may send us up to 32 MiB. So
who sent it and how much it is are known before anything else of it is looked at.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dockmgrd.bus.dbusnext import Message, MessageFlag, MessageType, SignatureTree, Unmarshaller

_FIXED = 16
_LONGEST_HEADER = 1 << 16
_LONGEST_MESSAGE = 1 << 27
_SIGNATURES_KEPT = 512

METHOD_CALL, SIGNAL = 1, 4
_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SENDER, _SIGNATURE = range(
    1, 9
)


class Malformed(Exception):
    """Bytes that are no message, or a message that cannot be read."""


@dataclass(frozen=True)
class Frame:
    """One message: its header, and all of its bytes unless it was `too_long`."""

    type: int
    flags: int
    serial: int
    fields: dict[int, Any]
    data: bytes
    body_at: int
    little: bool
    length: int

    @property
    def too_long(self) -> bool:
        return len(self.data) < self.length

    @property
    def sender(self) -> str:
        return str(self.fields.get(_SENDER, ""))

    @property
    def wants_reply(self) -> bool:
        return not self.flags & MessageFlag.NO_REPLY_EXPECTED

    def refusal(self, error_name: str, text: str) -> Message:
        """The reply to a call that is not looked at any further."""
        return Message(
            message_type=MessageType.ERROR,
            destination=self.sender,
            error_name=error_name,
            reply_serial=self.serial,
            signature="s",
            body=[text],
        )

    def is_signal(self, sender: str, interface: str, member: str) -> bool:
        """Whether the header is that of this signal, from this sender."""
        fields = self.fields
        return (
            fields.get(_SENDER) == sender
            and fields.get(_MEMBER) == member
            and fields.get(_INTERFACE) == interface
        )

    @property
    def reply_serial(self) -> int:
        """Serial of the call that this replies to; 0 for none."""
        return int(self.fields.get(_REPLY_SERIAL, 0))

    def message(self) -> Message:
        """The whole message.

        :raises Malformed: when it cannot be read.
        """
        reader = Unmarshaller(io.BytesIO())
        reader.buf, reader.offset = bytearray(self.data), self.body_at
        reader.endian = ord("l") if self.little else ord("B")
        if len(SignatureTree._cache) > _SIGNATURES_KEPT:
            SignatureTree._cache.clear()
        try:
            tree = SignatureTree._get(self.fields.get(_SIGNATURE, ""))
            body = [reader.read_argument(each) for each in tree.types]
        except (*_UNREADABLE, RecursionError) as error:
            raise Malformed(f"a body that cannot be read: {error}") from error
        return self._message(tree, body)

    def _message(self, signature: Any, body: list[Any]) -> Message:
        fields = self.fields
        try:
            return Message(
                message_type=MessageType(self.type),
                flags=MessageFlag(self.flags),
                serial=self.serial,
                path=fields.get(_PATH),
                interface=fields.get(_INTERFACE),
                member=fields.get(_MEMBER),
                error_name=fields.get(_ERROR_NAME),
                reply_serial=fields.get(_REPLY_SERIAL),
                destination=fields.get(_DESTINATION),
                sender=fields.get(_SENDER),
                signature=signature,
                body=body,
            )
        except _UNREADABLE as error:
            raise Malformed(f"a header that cannot be read: {error}") from error


@dataclass
class Frames:
    """Cuts frames out of bytes. Of a message of `longest` bytes and more that is a call or a
    signal, which strangers can send, only the header is kept.
    """

    longest: int
    _buffer: bytearray = field(default_factory=bytearray)
    _to_skip: int = 0

    def cut(self, data: bytes) -> Iterator[Frame]:
        """The messages that the bytes complete.

        :raises Malformed: when what arrives is not the protocol: the connection is lost.
        """
        self._buffer += data
        while self._skipped() and len(self._buffer) >= _FIXED:
            little = self._buffer[0] == ord("l")
            length, body_at = _lengths(self._buffer, little=little)
            strange = self._buffer[1] in (METHOD_CALL, SIGNAL)
            if strange and length >= self.longest:
                if body_at <= _LONGEST_HEADER and len(self._buffer) < body_at:
                    return
                if body_at <= _LONGEST_HEADER:
                    yield _frame(bytes(self._buffer[:body_at]), little, length, body_at)
                self._to_skip = length
            elif len(self._buffer) < length:
                return
            else:
                frame = bytes(self._buffer[:length])
                del self._buffer[:length]
                yield _frame(frame, little, length, body_at)

    def _skipped(self) -> bool:
        """Whether nothing is left to be thrown away."""
        thrown = min(self._to_skip, len(self._buffer))
        if thrown:
            del self._buffer[:thrown]
            self._to_skip -= thrown
        return not self._to_skip


def _lengths(buffer: bytearray, *, little: bool) -> tuple[int, int]:
    """Bytes of the whole message, and of all before its body."""
    body, _, fields = struct.unpack_from("<III" if little else ">III", buffer, 4)
    body_at = _FIXED + fields + (-fields & 7)
    if buffer[0] not in b"lB" or buffer[3] != 1 or body_at + body > _LONGEST_MESSAGE:
        raise Malformed("what arrives is no message of D-Bus")
    return body_at + body, body_at


def _frame(data: bytes, little: bool, length: int, body_at: int) -> Frame:  # noqa: FBT001
    order = "<I" if little else ">I"
    [serial] = struct.unpack_from(order, data, 8)
    [end] = struct.unpack_from(order, data, 12)
    fields: dict[int, Any] = {}
    at, end = _FIXED, _FIXED + end
    try:
        while at < end:
            at += -at & 7
            code, kind = data[at], data[at + 2 : at + 3]
            at += 4  # the code, and a signature of one letter
            if kind in (b"s", b"o"):
                at += -at & 3
                [size] = struct.unpack_from(order, data, at)
                fields[code] = data[at + 4 : at + 4 + size].decode()
                at += 5 + size
            elif kind == b"g":
                fields[code] = data[at + 1 : at + 1 + data[at]].decode()
                at += 2 + data[at]
            elif kind == b"u":
                at += -at & 3
                [fields[code]] = struct.unpack_from(order, data, at)
                at += 4
            else:
                raise Malformed("a header field of a type that there is none of")
    except _UNREADABLE as error:
        raise Malformed(f"a header that cannot be read: {error}") from error
    return Frame(data[1], data[2], serial, fields, data, body_at, little, length)


_UNREADABLE = (ValueError, TypeError, LookupError, EOFError, struct.error)
