# SPDX-License-Identifier: LGPL-2.1-or-later
"""Objects on the bus: finds the method that a message calls, and sends exactly one reply.

`dockmgrd.bus.interface` is the base class of what the objects do.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dockmgrd import errors
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag, Variant
from dockmgrd.bus.interface import ObjectInterface, set_caller
from dockmgrd.bus.introspection import OBJECT_MANAGER_DEFINITION, STANDARD_INTERFACES, Interface
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match
from dockmgrd.bus.quota import Quota
from dockmgrd.bus.standard import StandardMethods
from dockmgrd.messages import bus as messages
from dockmgrd.sd.journal import report_incident

MAX_CALLS_PER_CONNECTION = 256
"""Calls of one connection that may run at the same time."""

_START_OF_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class Exports:
    """The object tree below one ObjectManager, on one bus connection.

    :param manager_path: the object path of the ObjectManager.
    """

    def __init__(self, bus: Bus, manager_path: str) -> None:
        self._bus = bus
        self._manager_path = manager_path
        self._objects: dict[str, dict[str, ObjectInterface]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._callers: set[str] = set()
        self._last_errors: dict[str, errors.DockmgrError] = {}
        self._quota = Quota(MAX_CALLS_PER_CONNECTION, messages.TOO_MANY_RUNNING_CALLS)
        self.calls_answered = 0
        bus.on_call = self._on_call
        bus.on_refuse = self._on_refuse

    @property
    def in_use(self) -> bool:
        """Whether a call is running, or a connection that has called is still on the bus."""
        return bool(self._calls or self._callers)

    async def follow_callers(self) -> None:
        """Track which callers leave the bus. Call this once, before the first call can arrive."""
        leaving = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, arg2="")
        await self._bus.subscribe(leaving, lambda message: self._on_caller_left(message.body[0]))

    def _on_caller_left(self, name: str) -> None:
        self._callers.discard(name)
        self._last_errors.pop(name, None)
        self._bus.forget_caller(name)

    def get_last_error(self, sender: str) -> errors.DockmgrError | None:
        """Return the last error reply to this connection; forgotten when it leaves the bus."""
        return self._last_errors.get(sender)

    def add(self, path: str, implementation: ObjectInterface) -> None:
        """Export the implementation at the path, and announce it as the ObjectManager."""
        name = implementation.interface.name
        self._objects.setdefault(path, {})[name] = implementation
        implementation.attach(functools.partial(self.emit, path))
        if self._is_managed(path):
            added = {name: implementation.encode_properties()}
            self._emit_as_manager("InterfacesAdded", path, added)

    def remove(self, path: str) -> None:
        """Remove the object from the bus, and announce that as the ObjectManager."""
        implementations = self._objects.pop(path)
        for each in implementations.values():
            each.detach()
        self._emit_as_manager("InterfacesRemoved", path, list(implementations))

    def _emit_as_manager(self, signal: str, *body: Any) -> None:
        self.emit(self._manager_path, OBJECT_MANAGER_DEFINITION, signal, list(body))

    def emit(self, path: str, interface: Interface, signal: str, body: list[Any]) -> None:
        """Broadcast a signal of the interface from the path."""
        signature = interface.signals[signal]
        self._bus.send(Message.new_signal(path, interface.name, signal, signature, body))

    async def drain(self, *, at_once: bool) -> None:
        """Wait until every call that has arrived has its reply.

        :param at_once: cancel the calls that still wait for something; they fail with NoReply.
        """
        self._bus.deliver_waiting_calls()
        while self._calls:
            if at_once:
                for call in self._calls:
                    call.cancel()
            await asyncio.wait(set(self._calls))

    def _on_refuse(self, sender: str, error: errors.DockmgrError) -> None:
        self._callers.add(sender)
        self._last_errors[sender] = error

    def _on_call(self, message: Message) -> None:
        self._callers.add(message.sender)
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _answer(self, message: Message) -> None:
        """Send one reply to the call in every case. This is the outermost frame of each method."""
        interactive = bool(message.flags & MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION)
        set_caller(message.sender, interactive=interactive)
        try:
            with self._quota.share(message.sender):
                signature, body = await self._run_method(message)
            self._reply(message, Message.new_method_return(message, signature, body))
        except errors.DockmgrError as error:
            self._refuse(message, error)
        except asyncio.CancelledError:
            text = messages.DAEMON_STOPPING().with_remedy(messages.CALL_AGAIN())
            self._refuse(message, errors.NoReply(text))
            raise
        except Exception as error:  # noqa: BLE001  # outermost frame: the caller gets no traceback
            self._refuse(message, report_incident(error))
        finally:
            self.calls_answered += 1

    def _refuse(self, message: Message, error: errors.DockmgrError) -> None:
        """Reply with the error. The body is one string: if there is more, GLib shows nothing."""
        if message.sender in self._callers:
            self._last_errors[message.sender] = error
        self._reply(message, Message.new_error(message, error.dbus_name, error.message))

    def _reply(self, message: Message, reply: Message) -> None:
        if not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self._bus.send(reply)

    async def _run_method(self, message: Message) -> tuple[str, list[Any]]:
        """Run the method that the message calls; return signature and body of the reply."""
        implementations = self._find_object(message.path)
        standard = self._list_standard_interfaces(message.path)
        known = [*(each.interface for each in implementations.values()), *standard]
        interface = _find_interface(message, known)
        method = interface.methods.get(message.member)
        if method is None:
            raise errors.UnknownMethod(
                messages.UNKNOWN_METHOD(owner=interface.name, method=message.member)
            )
        implementation = implementations.get(interface.name)
        if message.signature != method.in_signature:
            misfit = errors.InvalidArgs(
                messages.ARGUMENT_TYPES(
                    method=message.member, expected=method.in_signature, type=message.signature
                )
            )
            if implementation is not None:
                await implementation.on_invalid_call(message.member, misfit)
            raise misfit
        owner: object = implementation
        if implementation is None:
            owner = StandardMethods(self, message.path, implementations, standard)
        handler = getattr(owner, _START_OF_WORD.sub("_", message.member).lower())
        result = await handler(*message.body)
        return method.out_signature, [] if method.out_signature == "" else [result]

    def _find_object(self, path: str) -> Mapping[str, ObjectInterface]:
        """Return the implementations at the path: empty for a path that only has children.

        :raises UnknownObject: if there is no object at or below the path.
        """
        if path in self._objects:
            return self._objects[path]
        if self.list_children(path):
            return {}
        raise errors.UnknownObject(messages.UNKNOWN_OBJECT(path=path))

    def _list_standard_interfaces(self, path: str) -> Sequence[Interface]:
        """Return the standard interfaces of the object at the path."""
        is_manager = path == self._manager_path
        return (
            (*STANDARD_INTERFACES, OBJECT_MANAGER_DEFINITION) if is_manager else STANDARD_INTERFACES
        )

    def list_children(self, path: str) -> list[str]:
        """Return the names of the nodes directly below the path."""
        prefix = path.rstrip("/") + "/"
        below = (other[len(prefix) :] for other in self._objects if other.startswith(prefix))
        return sorted({rest.split("/")[0] for rest in below})

    def _is_managed(self, path: str) -> bool:
        return path.startswith(self._manager_path.rstrip("/") + "/")

    def list_managed_objects(self) -> dict[str, dict[str, dict[str, Variant]]]:
        """Return the objects below the manager in the form of GetManagedObjects."""
        return {
            path: {name: each.encode_properties() for name, each in implementations.items()}
            for path, implementations in self._objects.items()
            if self._is_managed(path)
        }


def _find_interface(message: Message, known: Sequence[Interface]) -> Interface:
    """Return the interface that the call is for. A call may omit the interface's name.

    :raises UnknownMethod, UnknownInterface: if the object has no such method or interface.
    """
    for interface in known:
        if message.interface is None:
            if message.member in interface.methods:
                return interface
        elif interface.name == message.interface:
            return interface
    if message.interface is None:
        raise errors.UnknownMethod(
            messages.UNKNOWN_METHOD(owner=message.path, method=message.member)
        )
    raise errors.UnknownInterface(
        messages.UNKNOWN_INTERFACE(path=message.path, interface=message.interface)
    )
