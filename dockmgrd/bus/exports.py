# SPDX-License-Identifier: LGPL-2.1-or-later
"""Objects on the bus: finds the method that a message calls, and sees to it that one reply leaves.

What the objects do is in their faces; see `dockmgrd.face`.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Mapping
from typing import Any

from dockmgrd import errors
from dockmgrd.bus.client import ALLOW_INTERACTIVE_AUTHORIZATION, Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag, Variant
from dockmgrd.bus.interface import Face, answer_to
from dockmgrd.bus.introspection import OBJECT_MANAGER, OF_EVERY_OBJECT, Interface
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match
from dockmgrd.bus.quota import Quota
from dockmgrd.bus.standard import StandardMethods
from dockmgrd.journal import report_incident

CALLS_OF_A_CONNECTION = 256

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class Exports:
    """The object tree below one manager path, answering on one bus connection."""

    def __init__(self, bus: Bus, manager_path: str) -> None:
        self._bus = bus
        self._manager_path = manager_path
        self._objects: dict[str, dict[str, Face]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._callers: set[str] = set()
        self._last_errors: dict[str, errors.DockmgrError] = {}
        self._quota = Quota(CALLS_OF_A_CONNECTION, "calls waiting for their answer")
        self.calls_answered = 0
        bus.on_call = self._on_call

    @property
    def wanted(self) -> bool:
        """Whether a call is being answered, or somebody who has called is still on the bus."""
        return bool(self._calls or self._callers)

    async def follow_callers(self) -> None:
        """Notice from now on who leaves the bus. Needed once, before calls can arrive."""
        left = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, arg2="")
        await self._bus.subscribe(left, lambda message: self._on_left(message.body[0]))

    def _on_left(self, name: str) -> None:
        self._callers.discard(name)
        self._last_errors.pop(name, None)
        self._bus.forget_caller(name)

    def last_error(self, sender: str) -> errors.DockmgrError | None:
        """The last error reply to this connection; forgotten when it leaves the bus."""
        return self._last_errors.get(sender)

    def add(self, path: str, face: Face) -> None:
        """Export the face at the path, and say so to those who follow the ObjectManager."""
        self._objects.setdefault(path, {})[face.interface.name] = face
        face.attach(functools.partial(self.emit, path))
        if self._is_managed(path):
            added = {face.interface.name: face.variants(face.properties)}
            self.emit(self._manager_path, OBJECT_MANAGER, "InterfacesAdded", [path, added])

    def remove(self, path: str) -> None:
        """Take the object off the bus."""
        faces = self._objects.pop(path)
        for face in faces.values():
            face.detach()
        self.emit(self._manager_path, OBJECT_MANAGER, "InterfacesRemoved", [path, list(faces)])

    def emit(self, path: str, interface: Interface, signal: str, body: list[Any]) -> None:
        signature = interface.signals[signal]
        self._bus.send(Message.new_signal(path, interface.name, signal, signature, body))

    async def drain(self, *, at_once: bool) -> None:
        """Return when every call that has arrived is answered.

        :param at_once: answer those that still wait for something with an error.
        """
        self._bus.take_all_turns()
        while self._calls:
            if at_once:
                for call in self._calls:
                    call.cancel()
            await asyncio.wait(set(self._calls))

    def _on_call(self, message: Message) -> None:
        self._callers.add(message.sender)
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _answer(self, message: Message) -> None:
        """One reply for one call, whatever happens: the outermost frame of every method."""
        interactive = bool(message.flags & ALLOW_INTERACTIVE_AUTHORIZATION)
        answer_to(message.sender, interactive=interactive)
        try:
            with self._quota.share(message.sender):
                signature, body = await self._dispatch(message)
            self._reply(message, Message.new_method_return(message, signature, body))
        except errors.DockmgrError as error:
            self._refuse(message, error)
        except asyncio.CancelledError:
            text = "The daemon is stopping; ask again."
            self._reply(message, Message.new_error(message, errors.NoReply.dbus_name, text))
            raise
        except Exception as error:  # noqa: BLE001  # outermost frame: the caller gets no traceback
            self._refuse(message, report_incident(error))
        finally:
            self.calls_answered += 1

    def _refuse(self, message: Message, error: errors.DockmgrError) -> None:
        """Reply with the error. The body stays one string: of more, GLib shows none at all."""
        if message.sender in self._callers:
            self._last_errors[message.sender] = error
        self._reply(message, Message.new_error(message, error.dbus_name, error.message))

    def _reply(self, message: Message, reply: Message) -> None:
        if not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self._bus.send(reply)

    async def _dispatch(self, message: Message) -> tuple[str, list[Any]]:
        faces = self._faces_at(message.path)
        interface = self._interface_of(message, faces)
        method = interface.methods.get(message.member)
        if method is None:
            raise errors.UnknownMethod(f"{interface.name} has no method {message.member}.")
        face = faces.get(interface.name)
        if message.signature != method.in_signature:
            misfit = errors.InvalidArgs(
                f"{message.member} takes arguments of type '{method.in_signature}', "
                f"not '{message.signature}'."
            )
            if face is not None:
                await face.refused(message.member, misfit)
            raise misfit
        owner: object = face if face is not None else StandardMethods(self, message.path, faces)
        handler = getattr(owner, _WORD.sub("_", message.member).lower())
        result = await handler(*message.body)
        return method.out_signature, [] if method.out_signature == "" else [result]

    def _faces_at(self, path: str) -> dict[str, Face]:
        """Faces of the object; none for a path that merely leads to objects.

        :raises UnknownObject: when there is neither an object nor a way to one.
        """
        if path in self._objects:
            return self._objects[path]
        if self.children(path):
            return {}
        raise errors.UnknownObject(f"There is no object at {path}.")

    def _interface_of(self, message: Message, faces: Mapping[str, Face]) -> Interface:
        """The interface that the call is for; the specification lets callers leave it out."""
        known = [face.interface for face in faces.values()] + list(OF_EVERY_OBJECT)
        if message.path == self._manager_path:
            known.append(OBJECT_MANAGER)
        for interface in known:
            if message.interface is None:
                if message.member in interface.methods:
                    return interface
            elif interface.name == message.interface:
                return interface
        if message.interface is None:
            raise errors.UnknownMethod(f"{message.path} has no method {message.member}.")
        raise errors.UnknownInterface(f"{message.path} has no interface {message.interface}.")

    def children(self, path: str) -> list[str]:
        """Names of the nodes right below the path."""
        prefix = path.rstrip("/") + "/"
        below = (other[len(prefix) :] for other in self._objects if other.startswith(prefix))
        return sorted({rest.split("/")[0] for rest in below})

    def _is_managed(self, path: str) -> bool:
        return path.startswith(self._manager_path.rstrip("/") + "/")

    def managed(self) -> dict[str, dict[str, dict[str, Variant]]]:
        """The objects below the manager, as GetManagedObjects returns them."""
        return {
            path: {name: face.variants(face.properties) for name, face in faces.items()}
            for path, faces in self._objects.items()
            if self._is_managed(path)
        }
