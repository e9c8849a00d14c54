# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interface files (`dbus/*.xml`) read into records: they are the source, the code follows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from dockmgrd.paths import INTERFACES

_EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


@dataclass(frozen=True)
class Method:
    in_signature: str
    out_signature: str


@dataclass(frozen=True)
class Property:
    signature: str
    constant: bool
    """A constant property is never in PropertiesChanged."""


@dataclass(frozen=True)
class Interface:
    """One D-Bus interface. `xml` is its element, with annotations, for Introspect."""

    name: str
    methods: Mapping[str, Method]
    properties: Mapping[str, Property]
    signals: Mapping[str, str]
    xml: str


def load(name: str, directory: Path = INTERFACES) -> Interface:
    """The interface of that name from its file.

    :raises OSError, ElementTree.ParseError: when the file is missing or no XML.
    """
    return parse((directory / f"{name}.xml").read_text(encoding="utf-8"))


def parse(text: str) -> Interface:
    """The one interface of an introspection document."""
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
        annotation.attrib["name"] == _EMITS and annotation.attrib["value"] == "const"
        for annotation in prop.findall("annotation")
    )


PEER = parse(
    """<node><interface name="org.freedesktop.DBus.Peer">
    <method name="Ping"/>
    <method name="GetMachineId"><arg name="machine_uuid" type="s" direction="out"/></method>
    </interface></node>"""
)
INTROSPECTABLE = parse(
    """<node><interface name="org.freedesktop.DBus.Introspectable">
    <method name="Introspect"><arg name="xml_data" type="s" direction="out"/></method>
    </interface></node>"""
)
PROPERTIES = parse(
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
OBJECT_MANAGER = parse(
    """<node><interface name="org.freedesktop.DBus.ObjectManager">
    <method name="GetManagedObjects">
    <arg name="objects" type="a{oa{sa{sv}}}" direction="out"/></method>
    <signal name="InterfacesAdded"><arg name="object_path" type="o"/>
    <arg name="interfaces_and_properties" type="a{sa{sv}}"/></signal>
    <signal name="InterfacesRemoved"><arg name="object_path" type="o"/>
    <arg name="interfaces" type="as"/></signal>
    </interface></node>"""
)

OF_EVERY_OBJECT: tuple[Interface, ...] = (PEER, INTROSPECTABLE, PROPERTIES)
