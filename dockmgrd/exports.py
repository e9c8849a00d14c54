# SPDX-License-Identifier: LGPL-2.1-or-later
"""Objects on the bus: finds the method that a message calls, and sees to it that one reply leaves.

A face is a plain class: a coroutine method per D-Bus method in snake case, a dictionary of
properties. Who calls, and whether polkit may ask that person, is in `caller()` while it runs.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from dockmgrd import errors, journal, names, paths, standard
from dockmgrd.bus import ALLOW_INTERACTIVE_AUTHORIZATION, Bus
from dockmgrd.dbusnext import Message, MessageFlag, Variant
from dockmgrd.interfaces import Interface

logger = logging.getLogger(__name__)

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True)
class Caller:
    """The connection that sent the call, by unique name: the only identity that polkit is told."""

    sender: str
    interactive: bool
    """Whether polkit may ask the user for a proof of who they are."""

    def with_interaction(self, *, allowed: bool) -> Caller:
        """The caller, with whom polkit may talk when the message or an option allows it."""
        return Caller(self.sender, self.interactive or allowed)


_CALLER: ContextVar[Caller] = ContextVar("caller")


def caller() -> Caller:
    """Who sent the method call that is being answered."""
    return _CALLER.get()


class Face:
    """What one interface of one object does. `interface` says which; properties hold values."""

    interface: Interface

    def __init__(self, **properties: Any) -> None:
        self.properties: dict[str, Any] = properties
        self.exported: tuple[Exports, str] | None = None

    def set_properties(self, **values: Any) -> None:
        """Change properties, and announce those that differ from before in one signal."""
        changed = {
            name: value for name, value in values.items() if self.properties.get(name) != value
        }
        self.properties.update(changed)
        if changed and self.exported is not None:
            exports, path = self.exported
            body = [self.interface.name, self.variants(changed), []]
            exports.emit(path, standard.PROPERTIES, "PropertiesChanged", body)

    def emit(self, signal: str, *body: Any) -> None:
        """Send a signal of this interface to everybody."""
        if self.exported is not None:
            exports, path = self.exported
            exports.emit(path, self.interface, signal, list(body))

    def variants(self, values: Mapping[str, Any]) -> dict[str, Variant]:
        """The values as `a{sv}`, each of the type that its property is declared with."""
        declared = self.interface.properties
        return {name: Variant(declared[name].signature, value) for name, value in values.items()}


class Exports:
    """The object tree below one manager path, answering on one bus connection."""

    def __init__(self, bus: Bus, manager_path: str) -> None:
        self._bus = bus
        self._manager_path = manager_path
        self._objects: dict[str, dict[str, Face]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self.calls_answered = 0
        bus.on_call = self._on_call

    @property
    def calls_pending(self) -> int:
        return len(self._calls)

    def add(self, path: str, face: Face) -> None:
        """Export the face at the path, and say so to those who follow the ObjectManager."""
        self._objects.setdefault(path, {})[face.interface.name] = face
        face.exported = (self, path)
        if path != self._manager_path:
            added = {face.interface.name: face.variants(face.properties)}
            self.emit(self._manager_path, standard.OBJECT_MANAGER, "InterfacesAdded", [path, added])

    def remove(self, path: str) -> None:
        """Take the object off the bus."""
        faces = self._objects.pop(path)
        for face in faces.values():
            face.exported = None
        self.emit(
            self._manager_path, standard.OBJECT_MANAGER, "InterfacesRemoved", [path, list(faces)]
        )

    def emit(self, path: str, interface: Interface, signal: str, body: list[Any]) -> None:
        signature = interface.signals[signal]
        self._bus.send(Message.new_signal(path, interface.name, signal, signature, body))

    async def drain(self, *, at_once: bool) -> None:
        """Return when every call that has arrived is answered.

        :param at_once: answer those that still wait for something with an error.
        """
        while self._calls:
            if at_once:
                for call in self._calls:
                    call.cancel()
            await asyncio.wait(set(self._calls))

    def _on_call(self, message: Message) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _answer(self, message: Message) -> None:
        """One reply for one call, whatever happens: the outermost frame of every method."""
        interactive = bool(message.flags & ALLOW_INTERACTIVE_AUTHORIZATION)
        _CALLER.set(Caller(message.sender, interactive))
        try:
            signature, body = await self._dispatch(message)
            self._reply(message, Message.new_method_return(message, signature, body))
        except errors.DockmgrError as error:
            self._reply(message, Message.new_error(message, error.dbus_name, error.message))
        except asyncio.CancelledError:
            text = "The daemon is stopping; ask again."
            self._reply(message, Message.new_error(message, errors.NoReply.dbus_name, text))
            raise
        except Exception as error:  # noqa: BLE001  # outermost frame: the caller gets no traceback
            incident = report_incident(error)
            self._reply(message, Message.new_error(message, incident.dbus_name, incident.message))
        finally:
            self.calls_answered += 1

    def _reply(self, message: Message, reply: Message) -> None:
        if not message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self._bus.send(reply)

    async def _dispatch(self, message: Message) -> tuple[str, list[Any]]:
        faces = self._faces_at(message.path)
        interface = self._interface_of(message, faces)
        method = interface.methods.get(message.member)
        if method is None:
            raise errors.UnknownMethod(f"{interface.name} has no method {message.member}.")
        if message.signature != method.in_signature:
            raise errors.InvalidArgs(
                f"{message.member} takes arguments of type '{method.in_signature}', "
                f"not '{message.signature}'."
            )
        face = faces.get(interface.name)
        owner: object = face if face is not None else _Standard(self, message.path, faces)
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
        known = [face.interface for face in faces.values()] + list(standard.OF_EVERY_OBJECT)
        if message.path == self._manager_path:
            known.append(standard.OBJECT_MANAGER)
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

    def managed(self) -> dict[str, dict[str, dict[str, Variant]]]:
        """The objects below the manager, as GetManagedObjects returns them."""
        return {
            path: {name: face.variants(face.properties) for name, face in faces.items()}
            for path, faces in self._objects.items()
            if path != self._manager_path
        }


class _Standard:
    """Methods of the standard interfaces, for one object."""

    def __init__(self, exports: Exports, path: str, faces: Mapping[str, Face]) -> None:
        self._exports = exports
        self._path = path
        self._faces = faces

    async def ping(self) -> None:
        pass

    async def get_machine_id(self) -> str:
        return paths.MACHINE_ID.read_text(encoding="ascii").strip()

    async def introspect(self) -> str:
        interfaces = [face.interface for face in self._faces.values()]
        interfaces += standard.OF_EVERY_OBJECT
        if names.MANAGER_INTERFACE in self._faces:
            interfaces.append(standard.OBJECT_MANAGER)
        # Parts of object paths hold nothing that XML would want quoted.
        nodes = [f'<node name="{name}"/>' for name in self._exports.children(self._path)]
        return "\n".join(["<node>", *(each.xml for each in interfaces), *nodes, "</node>"])

    async def get_managed_objects(self) -> dict[str, dict[str, dict[str, Variant]]]:
        return self._exports.managed()

    async def get(self, interface_name: str, property_name: str) -> Variant:
        face = self._face(interface_name)
        self._check_property(face, interface_name, property_name)
        return face.variants(face.properties)[property_name] if face else Variant("s", "")

    async def get_all(self, interface_name: str) -> dict[str, Variant]:
        face = self._face(interface_name)
        return face.variants(face.properties) if face else {}

    async def set(self, interface_name: str, property_name: str, _value: Variant) -> None:
        self._check_property(self._face(interface_name), interface_name, property_name)
        raise errors.PropertyReadOnly(f"{property_name} is read-only; the methods change it.")

    def _face(self, interface_name: str) -> Face | None:
        """The face of that name; None for an interface without properties.

        :raises UnknownInterface: when the object has no such interface.
        """
        if interface_name in self._faces:
            return self._faces[interface_name]
        if interface_name in {each.name for each in standard.OF_EVERY_OBJECT}:
            return None
        raise errors.UnknownInterface(f"{self._path} has no interface {interface_name}.")

    @staticmethod
    def _check_property(face: Face | None, interface_name: str, property_name: str) -> None:
        if face is None or property_name not in face.properties:
            raise errors.UnknownProperty(f"{interface_name} has no property {property_name}.")


def report_incident(error: Exception) -> errors.Internal:
    """Log a fault of ours with its traceback, and make the error that the caller may see."""
    incident = uuid.uuid4().hex[:12]
    journal.record(
        journal.Entry(
            f"Unexpected error, incident {incident}: {type(error).__name__}",
            message_id=names.MESSAGE_INTERNAL_ERROR,
            priority=journal.ERROR,
            fields={"DOCKMGR_INCIDENT": incident},
        )
    )
    logger.error("incident %s", incident, exc_info=error)
    return errors.Internal(
        f"An unexpected error happened (incident {incident}); "
        f"'journalctl DOCKMGR_INCIDENT={incident}' shows it, please report it."
    )
