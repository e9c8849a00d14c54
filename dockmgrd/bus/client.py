# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to the system bus on an event loop: calls with a timeout, signals, own calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from dockmgrd.bus.auth import connect_socket
from dockmgrd.bus.dbusnext import Message, MessageFlag, NameFlag, RequestNameReply
from dockmgrd.bus.messages import CALL_TIMEOUT, DBUS, Match, make_bus_call, make_call
from dockmgrd.bus.router import OwnerHandler, Pending, Router, SignalHandler
from dockmgrd.bus.transport import Transport
from dockmgrd.errors import DockmgrError, NoReply, RemoteError
from dockmgrd.messages import bus as messages
from dockmgrd.timeouts import within

logger = logging.getLogger(__name__)


class Bus:
    """A connection to the system bus, or to the bus at `address`. Create it inside a running loop.

    `on_call`, if set, gets every method call that arrives, and must send its reply.

    :raises OSError, ValueError: as `connect_socket`.
    """

    def __init__(self, address: str | None = None) -> None:
        self.unique_name = ""
        """Our name on the bus; "" until `connect` has returned."""
        self.on_call: Callable[[Message], None] | None = None
        self.on_refuse: Callable[[str, DockmgrError], None] = _ignore_refusal
        """Gets the sender and the error of each call that is not parsed."""
        self._router = Router()
        self._transport = Transport(
            connect_socket(address),
            self._router,
            on_call=self._on_method_call,
            on_refuse=lambda sender, error: self.on_refuse(sender, error),
            find_user=self._find_user,
        )
        self._users: dict[str, int] = {}
        self._user_requests: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Bus:
        return await self.connect()

    async def __aexit__(self, *_: object) -> None:
        self.disconnect()
        await self.wait_for_disconnect()

    async def connect(self) -> Bus:
        """Authenticate, get a unique name, and return this connection.

        :raises OSError, EOFError, AuthError: if the bus does not accept us.
        :raises RemoteError, NoReply: if the bus does not give us a name.
        """
        await self._transport.link.authenticate()
        try:
            [self.unique_name] = await self.call_bus("Hello")
        except (RemoteError, NoReply):
            self._transport.link.end()
            raise
        return self

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent and will arrive."""
        return bool(self.unique_name) and self._transport.link.is_open

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait for the bus to take them."""
        return self._transport.link.unsent_bytes

    @property
    def pending_calls(self) -> int:
        """The number of our calls that wait for a reply."""
        return self._router.pending_calls

    def disconnect(self) -> None:
        """Leave the bus; `wait_for_disconnect` returns when that is done."""
        self._transport.link.close()

    async def wait_for_disconnect(self) -> None:
        """Wait until the connection has ended; raise what ended it unless `disconnect` did."""
        await self._transport.link.wait_until_ended()

    def fileno(self) -> int:
        """Return the file descriptor of the socket."""
        return self._transport.link.fileno()

    def send(self, message: Message) -> None:
        """Queue a message; without effect if the connection has ended.

        :raises Exception: of many types, if a value in the body does not have its type.
        """
        if not message.serial:
            message.serial = self._router.next_serial()
        self._transport.send(message)

    async def request(self, message: Message, *, timeout: float | None = CALL_TIMEOUT) -> list[Any]:
        """Send a method call, and return the values of its reply.

        :param timeout: seconds to wait; None waits as long as the connection lives.
        :raises RemoteError: if the reply is an error.
        :raises NoReply: if there is no reply in time, or the connection ends.
        """
        [values] = await self._complete([self._router.call(message)], timeout)
        return values

    async def call(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        timeout: float | None = CALL_TIMEOUT,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> list[Any]:
        """Call a method, and return the values of its reply; raises as `request`."""
        message = make_call(destination, path, interface, member, signature, body, flags)
        return await self.request(message, timeout=timeout)

    async def call_bus(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        """Call a method of the bus itself; raises as `request`."""
        return await self.request(make_bus_call(member, signature, *body))

    async def own_name(self, name: str) -> None:
        """Take the well-known name.

        :raises RemoteError: if another connection owns it, or we are not allowed to own it.
        """
        [answer] = await self.call_bus("RequestName", "su", name, NameFlag.DO_NOT_QUEUE.value)
        if answer != RequestNameReply.PRIMARY_OWNER.value:
            raise RemoteError(DBUS + ".Error.AddressInUse", f"{name} is owned by another process")

    async def flush(self) -> None:
        """Wait until the bus has everything that was queued before."""
        await self.call_bus("GetId")

    async def subscribe(self, match: Match, handler: SignalHandler) -> Callable[[], None]:
        """Call the handler for each signal that matches. Return a function that ends that.

        Only signals from the owner of `match.sender` count.

        :raises RemoteError, NoReply: as `request`.
        """

        def unsubscribe() -> None:
            for message in self._router.unsubscribe(match, handler):
                self.send(message)

        calls = self._router.subscribe(match, handler)
        try:
            await self._complete(calls, CALL_TIMEOUT)
        except BaseException:
            unsubscribe()
            raise
        return unsubscribe

    async def follow_owner(self, name: str, handler: OwnerHandler) -> None:
        """Call the handler with the unique name of each new owner; "" if there is none."""
        await self._complete(self._router.follow_owner(name, handler), CALL_TIMEOUT)

    def get_owner(self, name: str) -> str:
        """Return the unique name of the owner of a name that is followed; "" if it has none."""
        return self._router.get_owner(name)

    def deliver_waiting_calls(self) -> None:
        """Deliver every call that has arrived to `on_call`."""
        self._transport.deliver_waiting_calls()

    def forget_caller(self, sender: str) -> None:
        """Drop what is known of a connection that has left the bus, and its waiting calls."""
        self._transport.drop_calls(sender)
        self._users.pop(sender, None)

    async def _complete(self, calls: list[Pending], timeout: float | None) -> list[list[Any]]:
        """Send the calls, and return the values of their replies; raises as `request`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not future.done() and all(each.is_done for each in calls):
                future.set_result(None)

        try:
            for pending in calls:
                pending.set_callback(wake)
                self._send_call(pending)
            if calls:
                await within(future, timeout)
        except asyncio.TimeoutError:
            late = next(each.call for each in calls if not each.is_done)
            text = messages.NO_REPLY_WITHIN(
                destination=late.destination, method=late.member, seconds=f"{timeout:g}"
            )
            raise NoReply(text) from None
        finally:
            for pending in calls:
                self._router.forget(pending)
        return [pending.get_values() for pending in calls]

    def _send_call(self, pending: Pending) -> None:
        if self._transport.link.has_ended:
            raise NoReply(messages.CONNECTION_ENDED())
        self._transport.send(pending.call)

    def _find_user(self, sender: str) -> object:
        """Return the user id if it is known, otherwise the sender. Ask for it if it matters."""
        is_unknown = sender not in self._users and sender not in self._user_requests
        if is_unknown and self._transport.is_congested:
            request = asyncio.get_running_loop().create_task(self._request_user(sender))
            self._user_requests[sender] = request
        return self._users.get(sender, sender)

    async def _request_user(self, sender: str) -> None:
        """Ask the bus for the user of a connection, so that users take turns."""
        try:
            [uid] = await self.call_bus("GetConnectionUnixUser", "s", sender)
            self._users[sender] = uid
            self._transport.set_user(sender, uid)
        except (RemoteError, NoReply) as error:
            logger.debug("the user of %s is not known: %s", sender, error)
        finally:
            del self._user_requests[sender]

    def _on_method_call(self, message: Message) -> None:
        if self.on_call is not None:
            self.on_call(message)
        elif not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            text = "This connection offers no methods."
            self.send(Message.new_error(message, DBUS + ".Error.UnknownMethod", text))


def _ignore_refusal(_sender: str, _error: DockmgrError) -> None:
    """What a connection does with a refusal by default."""
