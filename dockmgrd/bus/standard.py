# SPDX-License-Identifier: LGPL-2.1-or-later
"""The methods of the standard interfaces (D-Bus specification, "Standard Interfaces")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from dockmgrd import errors, paths
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.interface import ObjectInterface
from dockmgrd.bus.introspection import Interface
from dockmgrd.messages import bus as messages


class Tree(Protocol):
    """The objects around the one that is called."""

    def list_children(self, path: str) -> list[str]:
        """Return the names of the nodes directly below the path."""

    def list_managed_objects(self) -> dict[str, dict[str, dict[str, Variant]]]:
        """Return the objects below the manager in the form of GetManagedObjects."""


class StandardMethods:
    """Methods of the standard interfaces, for one object.

    :param standard: the standard interfaces of the object.
    """

    def __init__(
        self,
        tree: Tree,
        path: str,
        implementations: Mapping[str, ObjectInterface],
        standard: Sequence[Interface],
    ) -> None:
        self._tree = tree
        self._path = path
        self._implementations = implementations
        self._standard = standard

    async def ping(self) -> None:
        """Do nothing: the reply is the answer."""

    async def get_machine_id(self) -> str:
        return paths.MACHINE_ID.read_text(encoding="ascii").strip()

    async def introspect(self) -> str:
        interfaces = [each.interface for each in self._implementations.values()]
        interfaces += self._standard
        # Object path elements have no character that XML has to escape.
        nodes = [f'<node name="{name}"/>' for name in self._tree.list_children(self._path)]
        return "\n".join(["<node>", *(each.xml for each in interfaces), *nodes, "</node>"])

    async def get_managed_objects(self) -> dict[str, dict[str, dict[str, Variant]]]:
        return self._tree.list_managed_objects()

    async def get(self, interface_name: str, property_name: str) -> Variant:
        implementation = self._find_property(interface_name, property_name)
        await implementation.refresh()
        return implementation.encode_properties()[property_name]

    async def get_all(self, interface_name: str) -> dict[str, Variant]:
        implementation = self._find_implementation(interface_name)
        if implementation is None:
            return {}
        await implementation.refresh()
        return implementation.encode_properties()

    async def set(self, interface_name: str, property_name: str, value: Variant) -> None:
        implementation = self._find_property(interface_name, property_name)
        expected = implementation.interface.properties[property_name].signature
        if value.signature != expected:
            raise errors.InvalidArgs(messages.PROPERTY_TYPE(property=property_name, type=expected))
        await implementation.set_property(property_name, value.value)

    def _find_property(self, interface_name: str, property_name: str) -> ObjectInterface:
        """Return the implementation of the interface.

        :raises UnknownInterface: if the object does not have the interface.
        :raises UnknownProperty: if the interface does not have the property.
        """
        implementation = self._find_implementation(interface_name)
        if implementation is None or property_name not in implementation.properties:
            raise errors.UnknownProperty(
                messages.UNKNOWN_PROPERTY(
                    interface=errors.quote(interface_name), property=errors.quote(property_name)
                )
            )
        return implementation

    def _find_implementation(self, interface_name: str) -> ObjectInterface | None:
        """Return the implementation of the interface; None for a standard interface.

        :raises UnknownInterface: if the object does not have the interface.
        """
        if interface_name in self._implementations:
            return self._implementations[interface_name]
        if interface_name in {each.name for each in self._standard}:
            return None
        raise errors.UnknownInterface(
            messages.UNKNOWN_INTERFACE(path=self._path, interface=errors.quote(interface_name))
        )
