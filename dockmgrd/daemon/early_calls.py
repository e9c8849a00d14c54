# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that arrive while the daemon still reads the jobs on disk: they wait for that."""

from __future__ import annotations

from collections.abc import Callable

from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag
from dockmgrd.errors import LimitsExceeded
from dockmgrd.messages import jobs as messages

MAX_EARLY_CALLS = 256


class EarlyCalls:
    """Takes the calls of a bus from the handler that it has, and returns them to it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._calls: list[Message] = []
        self._handler: Callable[[Message], None] | None = bus.on_call
        bus.on_call = self._keep

    def release(self) -> None:
        """Let the handler answer what has arrived, and from now on what arrives."""
        self._bus.on_call = self._handler
        calls, self._calls = self._calls, []
        if self._handler is not None:
            for call in calls:
                self._handler(call)

    def _keep(self, message: Message) -> None:
        if len(self._calls) < MAX_EARLY_CALLS:
            self._calls.append(message)
        elif not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            error = LimitsExceeded(messages.DAEMON_IS_STARTING().with_remedy(messages.TRY_LATER()))
            self._bus.send(Message.new_error(message, error.dbus_name, error.message))
