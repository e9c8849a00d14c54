# SPDX-License-Identifier: LGPL-2.1-or-later
"""D-Bus interfaces as records: our API, which `dbus/*.xml` define, and the standard ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from dockmgrd.paths import INTERFACES

_EMITS_CHANGED_SIGNAL = "org.freedesktop.DBus.Property.EmitsChangedSignal"


@dataclass(frozen=True)
class Method:
    """The signatures of a method's arguments and of its reply."""

    in_signature: str
    out_signature: str


@dataclass(frozen=True)
class Property:
    """The type of a property."""

    signature: str
    constant: bool
    """Whether the value never changes, so that PropertiesChanged never has it."""


@dataclass(frozen=True)
class Interface:
    """One D-Bus interface. `signals` has signatures; `xml` is the element for Introspect."""

    name: str
    methods: Mapping[str, Method]
    properties: Mapping[str, Property]
    signals: Mapping[str, str]
    xml: str


def load(name: str, directory: Path = INTERFACES) -> Interface:
    """Read the interface from the file of its name.

    :raises OSError: if the file cannot be read.
    :raises ElementTree.ParseError: if the file is not XML.
    """
    return parse((directory / f"{name}.xml").read_text(encoding="utf-8"))


def parse(text: str) -> Interface:
    """Parse an introspection document that has one interface."""
    [element] = ElementTree.fromstring(text).findall("interface")
    return Interface(
        name=element.attrib["name"],
        methods={
            method.attrib["name"]: Method(_signature(method, "in"), _signature(method, "out"))
            for method in element.findall("method")
        },
        properties={
            prop.attrib["name"]: Property(prop.attrib["type"], _is_constant(prop))
            for prop in element.findall("property")
        },
        signals={
            signal.attrib["name"]: "".join(arg.attrib["type"] for arg in signal.findall("arg"))
            for signal in element.findall("signal")
        },
        xml=ElementTree.tostring(element, encoding="unicode").strip(),
    )


def _signature(method: ElementTree.Element, direction: str) -> str:
    return "".join(
        arg.attrib["type"]
        for arg in method.findall("arg")
        if arg.attrib.get("direction", "in") == direction
    )


def _is_constant(prop: ElementTree.Element) -> bool:
    return any(
        annotation.attrib["name"] == _EMITS_CHANGED_SIGNAL and annotation.attrib["value"] == "const"
        for annotation in prop.findall("annotation")
    )


PEER_DEFINITION = parse(
    """<node><interface name="org.freedesktop.DBus.Peer">
    <method name="Ping"/>
    <method name="GetMachineId"><arg name="machine_uuid" type="s" direction="out"/></method>
    </interface></node>"""
)
INTROSPECTABLE_DEFINITION = parse(
    """<node><interface name="org.freedesktop.DBus.Introspectable">
    <method name="Introspect"><arg name="xml_data" type="s" direction="out"/></method>
    </interface></node>"""
)
PROPERTIES_DEFINITION = parse(
    """<node><interface name="org.freedesktop.DBus.Properties">
    <method name="Get"><arg name="interface_name" type="s" direction="in"/>
    <arg name="property_name" type="s" direction="in"/>
    <arg name="value" type="v" direction="out"/></method>
    <method name="GetAll"><arg name="interface_name" type="s" direction="in"/>
    <arg name="props" type="a{sv}" direction="out"/></method>
    <method name="Set"><arg name="interface_name" type="s" direction="in"/>
    <arg name="property_name" type="s" direction="in"/>
    <arg name="value" type="v" direction="in"/></method>
    <signal name="PropertiesChanged"><arg name="interface_name" type="s"/>
    <arg name="changed_properties" type="a{sv}"/>
    <arg name="invalidated_properties" type="as"/></signal>
    </interface></node>"""
)
OBJECT_MANAGER_DEFINITION = parse(
    """<node><interface name="org.freedesktop.DBus.ObjectManager">
    <method name="GetManagedObjects">
    <arg name="objects" type="a{oa{sa{sv}}}" direction="out"/></method>
    <signal name="InterfacesAdded"><arg name="object_path" type="o"/>
    <arg name="interfaces_and_properties" type="a{sa{sv}}"/></signal>
    <signal name="InterfacesRemoved"><arg name="object_path" type="o"/>
    <arg name="interfaces" type="as"/></signal>
    </interface></node>"""
)

STANDARD_INTERFACES: tuple[Interface, ...] = (
    PEER_DEFINITION,
    INTROSPECTABLE_DEFINITION,
    PROPERTIES_DEFINITION,
)
"""The standard interfaces of every object."""
