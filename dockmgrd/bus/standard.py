# SPDX-License-Identifier: LGPL-2.1-or-later
"""The standard interfaces that every object answers, in the words of the D-Bus specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dockmgrd import errors, names, paths
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.interface import Face
from dockmgrd.bus.introspection import OBJECT_MANAGER, OF_EVERY_OBJECT


class Tree(Protocol):
    """The objects around the one that is asked."""

    def children(self, path: str) -> list[str]:
        """Names of the nodes right below the path."""

    def managed(self) -> dict[str, dict[str, dict[str, Variant]]]:
        """The objects below the manager, as GetManagedObjects returns them."""


class StandardMethods:
    """Methods of the standard interfaces, for one object."""

    def __init__(self, tree: Tree, path: str, faces: Mapping[str, Face]) -> None:
        self._tree = tree
        self._path = path
        self._faces = faces

    async def ping(self) -> None:
        pass

    async def get_machine_id(self) -> str:
        return paths.MACHINE_ID.read_text(encoding="ascii").strip()

    async def introspect(self) -> str:
        interfaces = [face.interface for face in self._faces.values()]
        interfaces += OF_EVERY_OBJECT
        if names.MANAGER_INTERFACE in self._faces:
            interfaces.append(OBJECT_MANAGER)
        # Parts of object paths hold nothing that XML would want quoted.
        nodes = [f'<node name="{name}"/>' for name in self._tree.children(self._path)]
        return "\n".join(["<node>", *(each.xml for each in interfaces), *nodes, "</node>"])

    async def get_managed_objects(self) -> dict[str, dict[str, dict[str, Variant]]]:
        return self._tree.managed()

    async def get(self, interface_name: str, property_name: str) -> Variant:
        face = self._face(interface_name)
        self._check_property(face, interface_name, property_name)
        if face:
            await face.fresh()
        return face.variants(face.properties)[property_name] if face else Variant("s", "")

    async def get_all(self, interface_name: str) -> dict[str, Variant]:
        face = self._face(interface_name)
        if face:
            await face.fresh()
        return face.variants(face.properties) if face else {}

    async def set(self, interface_name: str, property_name: str, value: Variant) -> None:
        face = self._face(interface_name)
        self._check_property(face, interface_name, property_name)
        assert face is not None
        expected = face.interface.properties[property_name].signature
        if value.signature != expected:
            raise errors.InvalidArgs(f"{property_name} must have D-Bus type '{expected}'.")
        await face.set_property(property_name, value.value)

    def _face(self, interface_name: str) -> Face | None:
        """The face of that name; None for an interface without properties.

        :raises UnknownInterface: when the object has no such interface.
        """
        if interface_name in self._faces:
            return self._faces[interface_name]
        if interface_name in {each.name for each in OF_EVERY_OBJECT}:
            return None
        raise errors.UnknownInterface(
            f"{self._path} has no interface {errors.shown(interface_name)}."
        )

    @staticmethod
    def _check_property(face: Face | None, interface_name: str, property_name: str) -> None:
        if face is None or property_name not in face.properties:
            raise errors.UnknownProperty(
                f"{errors.shown(interface_name)} has no property {errors.shown(property_name)}."
            )
