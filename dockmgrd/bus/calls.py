# SPDX-License-Identifier: LGPL-2.1-or-later
"""Method calls as messages, and what their replies say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockmgrd.bus.dbusnext import Message, MessageFlag, MessageType
from dockmgrd.errors import RemoteError


def method_call(
    destination: str,
    path: str,
    interface: str,
    member: str,
    signature: str = "",
    body: Sequence[Any] = (),
    flags: MessageFlag = MessageFlag.NONE,
) -> Message:
    """The call, with no serial yet."""
    return Message(
        destination=destination,
        path=path,
        interface=interface,
        member=member,
        signature=signature,
        body=list(body),
        flags=flags,
    )


def values(reply: Message) -> list[Any]:
    """What the method returned.

    :raises RemoteError: when the reply is an error; in 0.2.3 dbus-next fails at one without a body.
    """
    if reply.message_type is MessageType.ERROR:
        text = reply.body[0] if reply.body and isinstance(reply.body[0], str) else ""
        raise RemoteError(reply.error_name, text)
    return list(reply.body)
