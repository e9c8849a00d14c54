# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to the system bus: calls with a timeout, and signals from who may send them.

What dbus-next does above its transport is replaced: in 0.2.3 an error reply without a body raises
IndexError, a call waits for ever, and a signal is taken from anybody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from dockmgrd.bus.dbusnext import Message, MessageFlag, MessageType, NameFlag, RequestNameReply
from dockmgrd.bus.fair_queue import A_CROWD
from dockmgrd.bus.frames import SIGNAL, Frame
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match, method_call, values
from dockmgrd.bus.transport import Transport
from dockmgrd.errors import NoReply, RemoteError
from dockmgrd.timeouts import within

logger = logging.getLogger(__name__)

SignalHandler = Callable[[Message], None]


class Bus(Transport):
    """A connection to the system bus, or to the bus at `address`. Make it inside a running loop.

    `on_call`, when set, gets every method call that arrives and owes each one its reply.
    """

    def __init__(self, address: str | None = None) -> None:
        super().__init__(address)
        self._subscriptions: dict[Match, list[SignalHandler]] = {}
        self._owners: dict[str, str] = {}
        self._owner_followers: dict[str, list[Callable[[str], None]]] = {}
        self._users: dict[str, int] = {}
        self._learning: dict[str, asyncio.Task[None]] = {}
        self.on_call: Callable[[Message], None] | None = None

    async def __aenter__(self) -> Bus:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.disconnect()
        await self.wait_for_disconnect()

    async def request(self, message: Message, *, timeout: float | None = 25.0) -> list[Any]:
        """Send a method call and await the body of its reply.

        :param timeout: seconds to wait; None waits for as long as the connection lives.
        :raises RemoteError: when the reply is an error.
        :raises NoReply: when none comes in time, or the connection ends.
        """
        if self._disconnected:
            raise NoReply("The connection to the bus ended.")
        future: asyncio.Future[Message] = self._loop.create_future()

        def settle(reply: Message | None, _error: Exception | None) -> None:
            if future.done():
                return
            if reply is None:
                future.set_exception(NoReply("The connection to the bus ended."))
            else:
                future.set_result(reply)

        message.serial = self.next_serial()
        self._method_return_handlers[message.serial] = settle
        try:
            self.send(message)
            reply = await within(future, timeout)
        except asyncio.TimeoutError:
            raise NoReply(
                f"{message.destination} did not answer {message.member} within {timeout:g} s."
            ) from None
        finally:
            self._method_return_handlers.pop(message.serial, None)
        return values(reply)

    async def call(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        timeout: float | None = 25.0,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> list[Any]:
        """Call a method and await the values it returns; raises as `request` does."""
        message = method_call(destination, path, interface, member, signature, body, flags)
        return await self.request(message, timeout=timeout)

    async def call_bus(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        """Call a method of the bus itself; raises as `request` does."""
        return await self.call(DBUS, DBUS_PATH, DBUS, member, signature, body)

    async def own_name(self, name: str) -> None:
        """Take the well-known name.

        :raises RemoteError: when it is another's, or not ours to have.
        """
        [answer] = await self.call_bus("RequestName", "su", name, NameFlag.DO_NOT_QUEUE.value)
        if answer != RequestNameReply.PRIMARY_OWNER.value:
            raise RemoteError(DBUS + ".Error.AddressInUse", f"{name} is owned by another process")

    async def flush(self) -> None:
        """Return once everything queued before has reached the bus."""
        await self.call_bus("GetId")

    async def subscribe(self, match: Match, handler: SignalHandler) -> Callable[[], None]:
        """Have the handler called for each signal that fits; call what comes back to end it.

        Signals are taken from the owner of `match.sender` alone: any local user can send us
        signals of any name, so the sender is checked here and not left to the match rule.
        """
        handlers = self._subscriptions.setdefault(match, [])
        handlers.append(handler)
        if len(handlers) == 1:
            await self._know_owner(match.sender)
            await self.call_bus("AddMatch", "s", match.rule())

        def unsubscribe() -> None:
            handlers.remove(handler)
            if not handlers and self._subscriptions.get(match) is handlers:
                del self._subscriptions[match]
                where = (DBUS, DBUS_PATH, DBUS, "RemoveMatch")
                silent = MessageFlag.NO_REPLY_EXPECTED
                self.send(method_call(*where, "s", [match.rule()], silent))

        return unsubscribe

    async def follow_owner(self, name: str, follower: Callable[[str], None]) -> None:
        """Have the follower called with the unique name of each new owner, "" for none."""
        self._owner_followers.setdefault(name, []).append(follower)
        await self._know_owner(name)

    def owner(self, name: str) -> str:
        """Unique name of the owner of a name that is followed; "" when it has none."""
        return self._owners.get(name, "")

    async def _know_owner(self, name: str) -> None:
        """See to it that `_owners` has the name from now on."""
        if name == DBUS or name.startswith(":") or name in self._owners:
            return
        self._owners[name] = ""
        change = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, name)

        def owner_changed(message: Message) -> None:
            self._owners[name] = message.body[2]
            for follower in self._owner_followers.get(name, ()):
                follower(message.body[2])

        await self.subscribe(change, owner_changed)
        try:
            [self._owners[name]] = await self.call_bus("GetNameOwner", "s", name)
        except RemoteError as error:
            logger.debug("%s has no owner yet: %s", name, error.name)

    def wants(self, frame: Frame) -> bool:
        """Whether it is a signal that is subscribed to, or a reply that is awaited."""
        if frame.type != SIGNAL:
            return frame.reply_serial in self._method_return_handlers
        return any(
            frame.is_signal(self._owners.get(each.sender, each.sender), each.interface, each.member)
            for each in self._subscriptions
        )

    def user_of(self, sender: str) -> object:
        """The user id once it is known, and until then the connection."""
        crowded = len(self._turns) > A_CROWD
        if crowded and sender not in self._users and sender not in self._learning:
            self._learning[sender] = self._loop.create_task(self._learn_user(sender))
        return self._users.get(sender, sender)

    def forget_caller(self, sender: str) -> None:
        super().forget_caller(sender)
        self._users.pop(sender, None)

    async def _learn_user(self, sender: str) -> None:
        """Needed when callers wait for each other only, and then for fairness only."""
        try:
            [uid] = await self.call_bus("GetConnectionUnixUser", "s", sender)
            self._users[sender] = uid
            self._turns.learn(sender, uid)
        except (RemoteError, NoReply) as error:
            logger.debug("the user of %s is not known: %s", sender, error)
        finally:
            del self._learning[sender]

    def _on_message(self, message: Message) -> None:
        if message.message_type is MessageType.METHOD_CALL:
            self._on_method_call(message)
        elif message.message_type is MessageType.SIGNAL:
            self._on_signal(message)
        else:
            settle = self._method_return_handlers.pop(message.reply_serial, None)
            if settle is not None:
                settle(message, None)

    def _on_method_call(self, message: Message) -> None:
        if self.on_call is not None:
            self.on_call(message)
        elif not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            text = "This connection offers no methods."
            self.send(Message.new_error(message, DBUS + ".Error.UnknownMethod", text))

    def _on_signal(self, message: Message) -> None:
        for match, handlers in list(self._subscriptions.items()):
            expected = self._owners.get(match.sender, match.sender)
            if message.sender == expected and match.fits(message):
                for handler in list(handlers):
                    handler(message)
