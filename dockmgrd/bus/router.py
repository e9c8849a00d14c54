# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which message belongs to what: replies to calls, signals to handlers, names to their owners.

This does no input or output. `client.py` (on an event loop) and `blocking.py` (without one) send
what it returns, pass to it what arrives, and wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dockmgrd.bus.dbusnext import Message, MessageFlag, MessageType
from dockmgrd.bus.frames import SIGNAL, Frame
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match, make_bus_call, read_reply
from dockmgrd.errors import NoReply, RemoteError
from dockmgrd.messages import bus as messages

_NO_OWNER = DBUS + ".Error.NameHasNoOwner"

SignalHandler = Callable[[Message], None]
OwnerHandler = Callable[[str], None]
"""Gets the unique name of the new owner; "" if there is none."""


class Pending:
    """A method call that waits for its reply."""

    def __init__(self, call: Message) -> None:
        self.call = call
        self.reply: Message | None = None
        self.is_done = False
        """Whether the reply has arrived, or the connection has ended without one."""
        self._on_done: Callable[[], None] = _do_nothing

    def set_callback(self, on_done: Callable[[], None]) -> None:
        """Call `on_done` once, when `is_done` becomes true."""
        self._on_done = on_done

    def finish(self, reply: Message | None) -> None:
        """Set the reply; None if the connection has ended."""
        self.reply = reply
        self.is_done = True
        self._on_done()

    def get_values(self) -> list[Any]:
        """Return the values of the reply.

        :raises RemoteError: if the reply is an error.
        :raises NoReply: if the connection has ended.
        """
        if self.reply is None:
            raise NoReply(messages.CONNECTION_ENDED())
        return read_reply(self.reply)


class _OwnerRequest(Pending):
    """A call of GetNameOwner. A name without an owner is not an error."""

    def __init__(self, call: Message, owners: dict[str, str]) -> None:
        super().__init__(call)
        self._owners = owners

    def finish(self, reply: Message | None) -> None:
        if reply is not None and reply.message_type is MessageType.METHOD_RETURN:
            self._owners[self.call.body[0]] = reply.body[0]
        super().finish(reply)

    def get_values(self) -> list[Any]:
        try:
            return super().get_values()
        except RemoteError as error:
            if error.name != _NO_OWNER:
                raise
            return [""]


class Router:
    """Routes the messages of one connection.

    A method that returns calls has registered them: the driver sends them in this order. The bus
    replies in the same order, so that they need not wait for each other.
    """

    def __init__(self) -> None:
        self._last_serial = 0
        self._pending: dict[int, Pending] = {}
        self._handlers: dict[Match, list[SignalHandler]] = {}
        self._owners: dict[str, str] = {}
        self._owner_handlers: dict[str, list[OwnerHandler]] = {}

    @property
    def pending_calls(self) -> int:
        """The number of calls that wait for a reply."""
        return len(self._pending)

    def next_serial(self) -> int:
        """Return the serial for one more message."""
        self._last_serial += 1
        return self._last_serial

    def call(self, message: Message) -> Pending:
        """Give the method call a serial, and expect its reply."""
        return self._expect(Pending(message))

    def forget(self, pending: Pending) -> None:
        """Ignore the reply to the call if it still arrives."""
        self._pending.pop(pending.call.serial, None)

    def subscribe(self, match: Match, handler: SignalHandler) -> list[Pending]:
        """Call the handler for each signal that matches. Return the calls to send.

        Only signals from the owner of `match.sender` count: any local user can send us a signal
        with any content, so the match rule alone does not protect us.
        """
        handlers = self._handlers.setdefault(match, [])
        handlers.append(handler)
        if len(handlers) > 1:
            return []
        owner = self._track_owner(match.sender)
        return [*owner, self.call(make_bus_call("AddMatch", "s", match.to_rule()))]

    def unsubscribe(self, match: Match, handler: SignalHandler) -> list[Message]:
        """Stop calling the handler. Return the messages to send; they have no reply."""
        handlers = self._handlers.get(match, [])
        if handler not in handlers:
            return []
        handlers.remove(handler)
        if handlers:
            return []
        del self._handlers[match]
        silent = MessageFlag.NO_REPLY_EXPECTED
        message = make_bus_call("RemoveMatch", "s", match.to_rule(), flags=silent)
        message.serial = self.next_serial()
        return [message]

    def follow_owner(self, name: str, handler: OwnerHandler) -> list[Pending]:
        """Call the handler whenever the name gets another owner. Return the calls to send."""
        self._owner_handlers.setdefault(name, []).append(handler)
        return self._track_owner(name)

    def get_owner(self, name: str) -> str:
        """Return the unique name of the owner, once the calls above have their replies.

        A name that is not tracked is returned itself: a unique name, or the bus's.
        """
        return self._owners.get(name, name)

    def wants(self, frame: Frame) -> bool:
        """Return whether to parse a reply or a signal: any local user can send us anything."""
        if frame.type != SIGNAL:
            return frame.reply_serial in self._pending
        return not frame.too_long and any(
            frame.is_signal(self.get_owner(match.sender), match.interface, match.member)
            for match in self._handlers
        )

    def dispatch(self, message: Message) -> None:
        """Finish the call that the message replies to, or call the handlers of a signal."""
        if message.message_type is MessageType.SIGNAL:
            self._dispatch_signal(message)
        else:
            pending = self._pending.pop(message.reply_serial, None)
            if pending is not None:
                pending.finish(message)

    def close(self) -> None:
        """Finish all calls: the connection has ended."""
        pending, self._pending = self._pending, {}
        for each in pending.values():
            each.finish(None)

    def _expect(self, pending: Pending) -> Pending:
        pending.call.serial = self.next_serial()
        self._pending[pending.call.serial] = pending
        return pending

    def _dispatch_signal(self, message: Message) -> None:
        for match, handlers in list(self._handlers.items()):
            if message.sender == self.get_owner(match.sender) and match.matches(message):
                for handler in list(handlers):
                    handler(message)

    def _track_owner(self, name: str) -> list[Pending]:
        """Keep `_owners` up to date for a well-known name. Return the calls to send.

        The subscription comes first, so that no change between it and the reply is lost.
        """
        if name == DBUS or name.startswith(":") or name in self._owners:
            return []
        self._owners[name] = ""
        changes = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, name)
        calls = self.subscribe(changes, self._on_owner_changed)
        request = _OwnerRequest(make_bus_call("GetNameOwner", "s", name), self._owners)
        return [*calls, self._expect(request)]

    def _on_owner_changed(self, message: Message) -> None:
        name, _, owner = message.body
        self._owners[name] = owner
        for handler in self._owner_handlers.get(name, ()):
            handler(owner)


def _do_nothing() -> None:
    """The callback of a call that nothing waits for."""
