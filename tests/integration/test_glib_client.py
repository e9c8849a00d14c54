# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client with GLib's GDBusObjectManagerClient sees every state of a job, in order.

It runs on this machine, on the host's system bus: PyGObject comes from this machine's packages.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api
from dockmgrd.enums import Stage

if TYPE_CHECKING:
    from bed.host import Host

STAGES = [stage.value for stage in Stage]

# Prints a line for each thing that the client is told: what, the object's path, and properties. All
# that it prints comes from signals and from GetManagedObjects: it calls nothing itself.
_CLIENT = """
import json, sys
from gi.repository import Gio, GLib

JOB = "org.dockmgr1.Job"

def show(what, path, values):
    print(json.dumps([what, path, values]), flush=True)

def cached(item):
    proxy = item.get_interface(JOB)
    names = proxy.get_cached_property_names() if proxy else []
    return {name: proxy.get_cached_property(name).unpack() for name in names}

def changed(manager, item, proxy, values, invalidated):
    assert not invalidated, invalidated
    if proxy.get_interface_name() == JOB:
        show("changed", item.get_object_path(), values.unpack())

flags = Gio.DBusConnectionFlags
bus = Gio.DBusConnection.new_for_address_sync(
    sys.argv[1], flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None
)
manager = Gio.DBusObjectManagerClient.new_sync(
    bus, Gio.DBusObjectManagerClientFlags.NONE, "org.dockmgr1", "/org/dockmgr1", None, None, None
)
manager.connect("object-added", lambda _, item: show("added", item.get_object_path(), cached(item)))
manager.connect("object-removed", lambda _, item: show("removed", item.get_object_path(), {}))
manager.connect("interface-proxy-properties-changed", changed)
manager.connect("notify::name-owner", lambda *_: show("owner", manager.get_name_owner() or "", {}))
show("ready", "", {})
GLib.MainLoop().run()
"""
Line = tuple[str, str, dict[str, Any]]


@contextmanager
def glib_client(host: Host) -> Iterator[Iterator[Line]]:
    """Run the client on the host's bus; yield what it prints from then on."""
    address = f"unix:path=/proc/{host.leader}/root/run/dbus/system_bus_socket"
    command = ["/usr/bin/python3", "-IBc", _CLIENT, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        lines = (tuple(json.loads(line)) for line in client.stdout)
        try:
            assert next(lines)[0] == "ready"
            yield lines
        finally:
            client.terminate()


def follow(lines: Iterator[Line], job: str) -> list[Line]:
    """Return what the client saw of the job until its last state."""
    seen: list[Line] = []
    for line in lines:
        if line[1] != job and line[0] != "owner":
            continue
        seen.append(line)
        if line[2].get("State", "running") != "running":
            return seen
    raise AssertionError(f"the client ended after {seen}")


def check_order(seen: list[Line]) -> None:
    stages = [values["Stage"] for _, _, values in seen if "Stage" in values]
    order = [STAGES.index(stage) for stage, _ in itertools.groupby(stages)]
    assert order == sorted(order)
    fractions = [values["Progress"] for _, _, values in seen if "Progress" in values]
    assert fractions == sorted(fractions)


def test_every_state_is_seen_in_order(host: Host) -> None:
    api = Api(host)
    with glib_client(host) as lines, api.watch() as signals:
        job = api.install(minimal=("b", True))
        seen = follow(lines, job)
        api.wait(job)
    added, *changes = seen
    assert added[0] == "added"
    assert added[2]["State"] == "running"
    assert {what for what, _, _ in changes} == {"changed"}
    check_order(seen)
    assert [values for _, _, values in changes] == [
        values for path, values in signals if path == job
    ]
    assert seen[-1][2]["State"] == "done"
    assert seen[-1][2]["Result"] == api.properties(job)["Result"]
    assert merge(seen) == api.properties(job)


def merge(seen: list[Line]) -> dict[str, Any]:
    """The properties of the job as a client has them after all changes."""
    return {name: value for _, _, values in seen for name, value in values.items()}


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM"])
def test_a_daemon_that_ends_and_comes_back(host: Host, signal: str) -> None:
    api = Api(host)
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=60_000_000)
    with glib_client(host) as lines:
        job = api.install(minimal=("b", True))
        stages = (values.get("Stage") for _, path, values in lines if path == job)
        assert "downloading" in stages
        host.run("systemctl", "kill", f"--signal={signal}", "--kill-whom=main", "dockmgrd.service")
        api.status()
        seen = follow(lines, job)
    first_again = next(index for index, line in enumerate(seen) if line[0] == "added")
    assert seen[first_again - 1][0] == "owner"
    check_order(seen[first_again:])
    assert merge(seen[first_again:]) == api.properties(job)
    assert merge(seen)["State"] == "done"
