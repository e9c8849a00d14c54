# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random steps on a host: jobs that succeed, are refused, fail or are canceled."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bed import sites
from bed.api import Api, ApiError

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from bed.host import Host

# Runs on the host: starts a job, cancels it at a progress, and prints the job and how it ended.
_CANCEL = """
import asyncio, json, sys
from dockmgrd import names
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.messages import PROPERTIES, Match
from dockmgrd.bus.variants import to_plain
from dockmgrd.errors import RemoteError

async def main():
    member, options, least = json.loads(sys.argv[1])
    values = {key: Variant(*pair) for key, pair in options.items()}
    async with Bus() as bus:
        reached = asyncio.Event()

        def look(message):
            changed = to_plain(message.body[1])
            if changed.get("Progress", 0.0) >= least or changed.get("FinishedAt"):
                reached.set()

        await bus.subscribe(Match("org.dockmgr1", PROPERTIES, "PropertiesChanged"), look)
        [path] = await bus.call(names.BUS_NAME, names.MANAGER_PATH, names.MANAGER_INTERFACE,
                                member, "a{sv}", [values])
        await reached.wait()
        try:
            await bus.call(names.BUS_NAME, path, names.JOB_INTERFACE, "Cancel")
        except RemoteError as error:
            print(error.name, file=sys.stderr)
        print(path)

asyncio.run(main())
"""

_FAULTS: Mapping[str, tuple[str, int | None]] = {
    "no answer": ("reset", None),
    "not found": ("status", 404),
    "ends early": ("truncate", None),
    "damaged": ("damage", None),
}


@dataclass(frozen=True)
class Step:
    """A job and what happens to it."""

    member: str
    options: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    fault: str = ""
    """What goes wrong with the source, or with the engine; "" for nothing."""
    cancel_at: float | None = None
    """The progress at which it is canceled."""

    def __str__(self) -> str:
        words = [self.member, *(f"{key}={pair[1]}" for key, pair in self.options.items())]
        words += [f"fault: {self.fault}"] if self.fault else []
        words += [f"canceled at {self.cancel_at:.3f}"] if self.cancel_at is not None else []
        return " ".join(words)

    @classmethod
    def choose(cls, chance: random.Random) -> Step:
        kind = chance.choice(("uninstall", "purge", "purge", "purge", "install", "fail", "cancel"))
        if kind == "install":
            return cls("Install", _choose_install_options(chance))
        if kind == "fail":
            return cls(
                "Install", _choose_install_options(chance), chance.choice((*_FAULTS, "engine"))
            )
        if kind == "cancel":
            member = chance.choice(("Install", "Uninstall"))
            chooser = _choose_install_options if member == "Install" else _choose_purge_options
            return cls(member, chooser(chance), cancel_at=chance.random())
        options = _choose_purge_options(chance)
        if kind == "uninstall":
            options.pop("purge-data")
            options.pop("keep-config", None)
        return cls("Uninstall", options)

    def prepare(self, host: Host) -> None:
        """Make what is to go wrong go wrong."""
        if self.fault in _FAULTS:
            kind, value = _FAULTS[self.fault]
            host.run("sh", "-c", "rm -rf /var/cache/dnf/* /var/cache/libdnf5/*")
            host.internet.fault(sites.DOCKER, kind, value=value)
        elif self.fault == "engine":
            host.write(
                "/etc/systemd/system/docker.service.d/fail.conf", "[Service]\nExecStartPre=false\n"
            )
            host.run("systemctl", "daemon-reload")

    def clean_up(self, host: Host) -> None:
        host.internet.clear()
        if self.fault == "engine":
            host.run("rm", "-f", "/etc/systemd/system/docker.service.d/fail.conf")
            host.run("systemctl", "daemon-reload")

    def plan(self, api: Api) -> Outcome:
        """The dry run of it."""
        return _wait(
            api,
            lambda: str(api.call(self.member, "a{sv}", {**self.options, "dry-run": ("b", True)})),
        )

    def run(self, api: Api) -> Outcome:
        if self.cancel_at is None:
            return _wait(api, lambda: str(api.call(self.member, "a{sv}", dict(self.options))))
        request = json.dumps([self.member, self.options, self.cancel_at])
        done = api.host.run("/usr/bin/python3", "-IBc", _CANCEL, request)
        return _wait(api, done.stdout.strip)


@dataclass(frozen=True)
class Outcome:
    """How a job has ended."""

    result: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    """The last part of the error's name; "" for success."""
    text: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"{self.error}: {self.text}"
        refusal = self.result.get("refusal", {})
        words = [refusal.get("name", "success"), refusal.get("message", "")]
        words += [str(self.result[key]) for key in ("deletes", "purged") if key in self.result]
        words += [str([each["id"] for each in self.result.get("notes", ())])]
        return " ".join(words)


def _wait(api: Api, start: Any) -> Outcome:
    try:
        return Outcome(api.wait(start()))
    except ApiError as error:
        return Outcome(error=error.name.rpartition(".")[2], text=error.text)


def _choose_install_options(chance: random.Random) -> dict[str, tuple[str, Any]]:
    options: dict[str, tuple[str, Any]] = {}
    if chance.random() < 0.3:
        options["mirrors"] = ("as", ["https://mirror.bed.test/"])
    if chance.random() < 0.3:
        options["replace-conflicting"] = ("b", True)
    if chance.random() < 0.2:
        options["start"] = ("b", False)
    return options


def _choose_purge_options(chance: random.Random) -> dict[str, tuple[str, Any]]:
    options = {"purge-data": ("b", True)}
    if chance.random() < 0.3:
        options["keep-config"] = ("b", True)
    if chance.random() < 0.5:
        options["force"] = ("b", True)
    return options
