# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one interface of one object does: a coroutine per method, in snake case, and properties.

Who calls, and whether polkit may ask that person, is in `caller()` while a method runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from dockmgrd import errors
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.introspection import PROPERTIES, Interface

SendSignal = Callable[[Interface, str, list[Any]], None]


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


def answer_to(sender: str, *, interactive: bool) -> None:
    """Make this the caller for the rest of the task, and for the tasks that it starts."""
    _CALLER.set(Caller(sender, interactive))


class Face:
    """What one interface of one object does. `interface` says which; properties hold values."""

    interface: Interface

    def __init__(self, **properties: Any) -> None:
        self.properties: dict[str, Any] = properties
        self._send: SendSignal | None = None

    def attach(self, send: SendSignal) -> None:
        """The face is on the bus, and its signals go out by `send`."""
        self._send = send

    def detach(self) -> None:
        """The face is off the bus; it may change, and nobody hears of it."""
        self._send = None

    def set_properties(self, **values: Any) -> None:
        """Change properties, and announce those that differ from before in one signal."""
        changed = {
            name: value for name, value in values.items() if self.properties.get(name) != value
        }
        self.properties.update(changed)
        if changed and self._send is not None:
            body = [self.interface.name, self.variants(changed), []]
            self._send(PROPERTIES, "PropertiesChanged", body)

    async def fresh(self) -> None:
        """Return when the properties are as they are on the host. By default they always are."""

    async def set_property(self, name: str, value: Any) -> None:
        """A caller wants the property to have the value, whose type is right.

        :raises PropertyReadOnly: by default: it is the methods that change things.
        """
        raise errors.PropertyReadOnly(f"{name} is read-only; the methods change it.")

    async def refused(self, member: str, error: errors.DockmgrError) -> None:
        """A call of the method does not fit its signature. By default nobody wants to know."""

    def emit(self, signal: str, *body: Any) -> None:
        """Send a signal of this interface to everybody."""
        if self._send is not None:
            self._send(self.interface, signal, list(body))

    def variants(self, values: Mapping[str, Any]) -> dict[str, Variant]:
        """The values as `a{sv}`, each of the type that its property is declared with."""
        declared = self.interface.properties
        return {name: Variant(declared[name].signature, value) for name, value in values.items()}
