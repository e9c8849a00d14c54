# SPDX-License-Identifier: LGPL-2.1-or-later
"""The standard interfaces as records, in the words of the D-Bus specification."""

from __future__ import annotations

from dockmgrd.bus.introspection import Interface, parse

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
