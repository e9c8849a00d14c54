# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages: calls to send, the values of their replies, and the signals to receive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dockmgrd.bus.dbusnext import Message, MessageFlag, MessageType
from dockmgrd.errors import RemoteError

DBUS = "org.freedesktop.DBus"
DBUS_PATH = "/org/freedesktop/DBus"
PROPERTIES = "org.freedesktop.DBus.Properties"

CALL_TIMEOUT = 25.0
"""Seconds, as in other D-Bus libraries."""


@dataclass(frozen=True)
class Match:
    """Which signals to receive. `sender` is a well-known or unique name; None matches any value."""

    sender: str
    interface: str
    member: str
    path: str | None = None
    arg0: str | None = None
    arg2: str | None = None

    def to_rule(self) -> str:
        """Return the match rule for AddMatch."""
        keys = {
            "type": "signal",
            "sender": self.sender,
            "interface": self.interface,
            "member": self.member,
            "path": self.path,
            "arg0": self.arg0,
            "arg2": self.arg2,
        }
        return ",".join(f"{key}='{value}'" for key, value in keys.items() if value is not None)

    def matches(self, message: Message) -> bool:
        """Return whether the signal matches in everything but the sender."""
        return (
            message.interface == self.interface
            and message.member == self.member
            and self.path in (None, message.path)
            and (self.arg0 is None or message.body[:1] == [self.arg0])
            and (self.arg2 is None or message.body[2:3] == [self.arg2])
        )


def make_call(
    destination: str,
    path: str,
    interface: str,
    member: str,
    signature: str = "",
    body: Sequence[Any] = (),
    flags: MessageFlag = MessageFlag.NONE,
) -> Message:
    """Return the method call. The connection gives it a serial."""
    return Message(
        destination=destination,
        path=path,
        interface=interface,
        member=member,
        signature=signature,
        body=list(body),
        flags=flags,
    )


def make_bus_call(
    member: str, signature: str = "", *body: Any, flags: MessageFlag = MessageFlag.NONE
) -> Message:
    """Return a call of a method of the bus itself."""
    return make_call(DBUS, DBUS_PATH, DBUS, member, signature, body, flags)


def read_reply(reply: Message) -> list[Any]:
    """Return the values that the method returned.

    :raises RemoteError: if the reply is an error. An error may have no text.
    """
    if reply.message_type is MessageType.ERROR:
        text = reply.body[0] if reply.body and isinstance(reply.body[0], str) else ""
        raise RemoteError(reply.error_name, text)
    return list(reply.body)
