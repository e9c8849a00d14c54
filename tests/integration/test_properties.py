# SPDX-License-Identifier: LGPL-2.1-or-later
"""The properties have the values of Status, and send change signals."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api
from dockmgrd import names
from integration.mirror_hosts import DAEMON_JSON, MIRROR, MIRROR2, engine_host, set_mirror

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.host import Host

__all__ = ["engine_host"]

PROPERTIES = 15

# Runs on the host: prints each change of the manager's properties, the first line when it listens.
_LISTEN = """
import asyncio, json
from dockmgrd.bus.client import Bus
from dockmgrd.bus.messages import PROPERTIES, Match
from dockmgrd.bus.variants import to_plain

async def main():
    async with Bus() as bus:
        def show(message):
            if message.path == "/org/dockmgr1":
                print(json.dumps(to_plain(message.body[1])), flush=True)

        await bus.subscribe(Match("org.dockmgr1", PROPERTIES, "PropertiesChanged"), show)
        await bus.call("org.dockmgr1", "/org/dockmgr1", "org.freedesktop.DBus.Peer", "Ping")
        print("ready", flush=True)
        await bus.wait_for_disconnect()

asyncio.run(main())
"""


class Listener:
    """A client that has called once and only listens from then on."""

    def __init__(self, host: Host) -> None:
        self._process = host.popen("/usr/bin/python3", "-IBc", _LISTEN, user="alice")
        self.known: dict[str, Any] = defaultdict(str)
        while self._read() != "ready":
            pass

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the listener has ended"
        if line != "ready":
            self.known.update(json.loads(line))
        return line

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        """Return when what has been announced is so. Whoever hangs ends by the test's limit."""
        while not holds(self.known):
            self._read()

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()


@pytest.mark.suites("bookworm", "trixie", "forky")
def test_changes_of_files_are_announced(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    listener = Listener(host)
    listener.until(lambda known: len(known) == PROPERTIES and known["EngineVersion"] != "")
    properties = api.properties(names.MANAGER_PATH, names.MANAGER_INTERFACE)
    assert listener.known == properties, "all are announced once after a start"

    host.write(DAEMON_JSON, json.dumps({"registry-mirrors": [MIRROR2]}))
    listener.until(lambda known: known["MirrorsConfigured"] == [MIRROR2])
    listener.until(lambda known: known["MirrorsDrift"] is True)
    listener.until(lambda known: [each["id"] for each in known["Problems"]] == ["mirrors-differ"])
    host.run("systemctl", "reload", "docker")
    listener.until(lambda known: not known["MirrorsDrift"] and known["Problems"] == [])
    api.wait(set_mirror(api, MIRROR))
    listener.until(lambda known: known["Mirrors"] == known["MirrorsConfigured"] == [MIRROR])
    host.write(DAEMON_JSON, "{")
    listener.until(lambda known: known["Problems"] != [])
    assert api.status()["problems"] == listener.known["Problems"]
    host.write(DAEMON_JSON, "{}")
    host.write("/etc/dockmgrd/dockmgrd.yaml", "idle: 1\n")
    listener.until(lambda known: "dockmgrd.yaml" in str(known["Problems"]))
    host.run("rm", "/etc/dockmgrd/dockmgrd.yaml")
    listener.until(lambda known: "dockmgrd.yaml" not in str(known["Problems"]))
    host.run("rpm", "--erase", "--nodeps", "docker-buildx-plugin")
    listener.until(lambda known: "docker-buildx-plugin" not in known["Packages"])
    listener.close()


@pytest.mark.suites("bookworm", "trixie")
def test_an_engine_that_hangs_is_a_problem_until_it_has_recovered(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    listener = Listener(host)
    listener.until(lambda known: known["EngineVersion"] != "")
    pid = host.run("systemctl", "show", "docker", "-P", "MainPID").stdout.strip()
    for _ in range(2):
        host.run("kill", "-STOP", pid)
        listener.until(
            lambda known: [each["id"] for each in known["Problems"]] == ["engine-silent"]
        )
        [problem] = api.status()["problems"]
        assert problem["remedy"]["command"] == "systemctl status docker"
        host.run("kill", "-CONT", pid)
        listener.until(lambda known: known["Problems"] == [])
        assert api.status()["problems"] == []
    # A daemon that starts while the engine hangs answers all the same.
    host.run("kill", "-STOP", pid)
    host.run("systemctl", "stop", "dockmgrd.service")
    [problem] = Api(host, "alice").status()["problems"]
    assert problem["id"] == "engine-silent"
    host.run("kill", "-CONT", pid)
    listener.until(lambda known: known["Problems"] == [] and known["EngineVersion"] != "")
    listener.close()


def test_jobs_show_what_was_requested(host: Host) -> None:
    api = Api(host)
    dry = set_mirror(api, MIRROR, dry_run=("b", True))
    real = set_mirror(api, MIRROR)
    api.wait(dry)
    api.wait(real)
    assert api.properties(dry)["DryRun"] is True
    assert api.properties(real)["DryRun"] is False
    assert api.properties(real)["Options"] == {"mirrors": [MIRROR]}
    assert api.properties(dry)["Options"] == {"mirrors": [MIRROR], "dry-run": True}
    assert Api(host).status()["active-job"] == "/"
