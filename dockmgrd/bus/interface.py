# SPDX-License-Identifier: LGPL-2.1-or-later
"""The implementation of one interface of one object: methods as coroutines, and property values.

Each D-Bus method is a coroutine whose name is that of the method in snake case. While it runs,
`get_caller()` returns the connection that sent the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from dockmgrd import errors
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.introspection import PROPERTIES_DEFINITION, Interface
from dockmgrd.messages import bus as messages

SendSignal = Callable[[Interface, str, list[Any]], None]


@dataclass(frozen=True)
class Caller:
    """The connection that sent the call, by unique name: polkit gets no other identity."""

    sender: str
    interactive: bool
    """Whether polkit may ask the user to authenticate."""

    def with_interaction(self, *, allowed: bool) -> Caller:
        """Return the caller; polkit may ask the user if the message or `allowed` permits it."""
        return Caller(self.sender, self.interactive or allowed)


_CALLER: ContextVar[Caller] = ContextVar("caller")


def get_caller() -> Caller:
    """Return who sent the method call that this task handles."""
    return _CALLER.get()


def set_caller(sender: str, *, interactive: bool) -> None:
    """Set the caller for the rest of this task and for the tasks that it starts."""
    _CALLER.set(Caller(sender, interactive))


class ObjectInterface:
    """Implements `interface` for one object; `properties` has the values by property name."""

    interface: Interface

    def __init__(self, **properties: Any) -> None:
        self.properties: dict[str, Any] = properties
        self._send: SendSignal | None = None

    def attach(self, send: SendSignal) -> None:
        """Send signals by `send` from now on: the object is on the bus."""
        self._send = send

    def detach(self) -> None:
        """Send no more signals: the object is off the bus."""
        self._send = None

    def set_properties(self, **values: Any) -> None:
        """Set properties, and announce those whose value differs in one signal."""
        changed = {
            name: value for name, value in values.items() if self.properties.get(name) != value
        }
        self.properties.update(changed)
        if changed and self._send is not None:
            body = [self.interface.name, self._encode(changed), []]
            self._send(PROPERTIES_DEFINITION, "PropertiesChanged", body)

    async def refresh(self) -> None:
        """Wait until the properties agree with the host. By default they always do."""

    async def set_property(self, name: str, value: Any) -> None:
        """Set a property for a caller. The value has the type of the property.

        :raises PropertyReadOnly: always, unless a subclass overrides it.
        """
        raise errors.PropertyReadOnly(messages.PROPERTY_READ_ONLY(property=name))

    async def on_invalid_call(self, member: str, error: errors.DockmgrError) -> None:
        """Handle a call whose arguments do not have the method's signature. Does nothing here."""

    def emit(self, signal: str, *body: Any) -> None:
        """Broadcast a signal of this interface."""
        if self._send is not None:
            self._send(self.interface, signal, list(body))

    def encode_properties(self) -> dict[str, Variant]:
        """Return all properties as `a{sv}`, each with the type that it declares."""
        return self._encode(self.properties)

    def _encode(self, values: Mapping[str, Any]) -> dict[str, Variant]:
        types = self.interface.properties
        return {name: Variant(types[name].signature, value) for name, value in values.items()}
