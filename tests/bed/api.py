# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls of a host's org.dockmgr1 from a process on that host, with results as plain values."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bed.limits import HANG_TIMEOUT
from dockmgrd import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bed.host import Host

# Runs on the host. A value in the body that is [signature, value] under a key becomes a variant.
# The blocking client loads in half the time of the other one: a test makes many calls.
_CLIENT = """
import json, os, select, sys
from contextlib import closing
from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.errors import RemoteError
from dockmgrd.bus.variants import to_plain

def typed(value):
    if isinstance(value, dict):
        return {key: Variant(*pair) for key, pair in value.items()}
    return value

def wait(descriptor, seconds):
    return bool(select.select([descriptor], [], [], seconds)[0])

path, interface, member, signature, body, seconds = json.loads(sys.argv[1])
with closing(Connection(wait)) as bus:
    try:
        values = bus.call("org.dockmgr1", path, interface, member, signature,
                          [typed(value) for value in body], timeout=seconds)
        print(json.dumps({"values": to_plain(values)}), flush=True)
    except RemoteError as error:
        print(json.dumps({"error": [error.name, error.reply]}), flush=True)
os._exit(0)  # Python would tidy up.
"""

# Runs on the host. Says "ready", then a line of [path, changed properties] for every signal.
_WATCHER = """
import asyncio, json
from dockmgrd.bus.client import Bus
from dockmgrd.bus.messages import PROPERTIES, Match
from dockmgrd.bus.variants import to_plain

async def main():
    async with Bus() as bus:
        def show(message):
            print(json.dumps([message.path, to_plain(message.body[1])]), flush=True)

        await bus.subscribe(Match("org.dockmgr1", PROPERTIES, "PropertiesChanged"), show)
        print("ready", flush=True)
        await bus.wait_for_disconnect()

asyncio.run(main())
"""


@dataclass
class ApiError(Exception):
    """An error reply: its name and its sentence."""

    name: str
    text: str


@dataclass(frozen=True)
class Api:
    """org.dockmgr1 of a host, as one of its users calls it."""

    host: Host
    user: str | None = None

    def call(
        self,
        member: str,
        signature: str = "",
        *body: Any,
        path: str = names.MANAGER_PATH,
        interface: str = names.MANAGER_INTERFACE,
    ) -> Any:
        """Return what the method returns; dictionaries in the body hold (signature, value).

        Raises ApiError.
        """
        request = json.dumps([path, interface, member, signature, list(body), HANG_TIMEOUT])
        done = self.host.run(
            "/usr/bin/python3", "-IBc", _CLIENT, request, user=self.user, timeout=2 * HANG_TIMEOUT
        )
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise ApiError(*answer["error"])
        [value] = answer["values"] or [None]
        return value

    def status(self) -> dict[str, Any]:
        values: dict[str, Any] = self.call("Status")
        return values

    def install(self, **options: tuple[str, Any]) -> str:
        """Return the path of the job."""
        return str(self.call("Install", "a{sv}", _keys(options)))

    def uninstall(self, **options: tuple[str, Any]) -> str:
        return str(self.call("Uninstall", "a{sv}", _keys(options)))

    def set_mirror(self, *mirrors: str) -> str:
        return str(self.call("SetMirror", "asa{sv}", list(mirrors), {}))

    def wait(self, job: str) -> dict[str, Any]:
        """Return the job's result when it has ended. Raises ApiError, the job's own."""
        result = self.call("Wait", path=job, interface=names.JOB_INTERFACE)
        assert isinstance(result, dict)
        return result

    def cancel(self, job: str) -> None:
        self.call("Cancel", path=job, interface=names.JOB_INTERFACE)

    def properties(self, path: str, interface: str = names.JOB_INTERFACE) -> dict[str, Any]:
        values = self.call(
            "GetAll", "s", interface, path=path, interface="org.freedesktop.DBus.Properties"
        )
        assert isinstance(values, dict)
        return values

    @contextmanager
    def watch(self) -> Iterator[list[tuple[str, dict[str, Any]]]]:
        """Collect (path, changed properties) of all that is announced within the context.

        The list is filled when the context ends.
        """
        changes: list[tuple[str, dict[str, Any]]] = []
        watcher = self.host.popen("/usr/bin/python3", "-IBc", _WATCHER, user=self.user)
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "ready\n"
        try:
            yield changes
        finally:
            watcher.terminate()
            output, _ = watcher.communicate()
            changes += [(path, changed) for path, changed in map(json.loads, output.splitlines())]


def _keys(options: Mapping[str, tuple[str, Any]]) -> dict[str, tuple[str, Any]]:
    return {key.replace("_", "-"): pair for key, pair in options.items()}
