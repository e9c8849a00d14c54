# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service for tests of dockmgrctl: the real interfaces, with jobs that the test controls."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bed.limits import HANG_TIMEOUT
from dockmgrd import names
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.exports import Exports
from dockmgrd.bus.interface import ObjectInterface, get_caller
from dockmgrd.bus.variants import to_plain, to_variants
from dockmgrd.errors import DockmgrError, NotCancellable, from_name
from dockmgrd.messages import status
from dockmgrd.messages.text import Text

CHECKOUT = Path(__file__).resolve().parents[2]


def message_properties(text: Text) -> dict[str, Any]:
    """The properties of a job that hold its message."""
    plain = text.to_plain()
    args = to_variants(plain["args"])
    return {"Message": plain["text"], "MessageId": plain["id"], "MessageArgs": args}


DONE = {"changed": True, "installed": ["docker-ce-3:28.5.1-1.el9.x86_64"], "notes": []}

STATUS: dict[str, Any] = {
    "installed": True,
    "packages": {"docker-ce": "3:28.5.1-1.el9", "containerd.io": "1.7.28-1.el9"},
    "source": "aliyun",
    "repository-file": "/etc/yum.repos.d/docker-ce.repo",
    "service-state": "active",
    "engine-version": "28.5.1",
    "mirrors-configured": ["https://one.example/", "https://two.example/"],
    "mirrors-active": ["https://one.example/"],
    "registries": [
        {
            "registry": "ghcr.io",
            "mirrors": ["https://one.example/"],
            "file": "/etc/docker/certs.d/ghcr.io/hosts.toml",
            "managed": True,
        },
        {
            "registry": "quay.io",
            "mirrors": [],
            "file": "/etc/docker/certs.d/quay.io/hosts.toml",
            "managed": False,
        },
    ],
    "platform": "AlmaLinux 9.6 (x86_64)",
    "active-job": "/",
    "problems": [
        status.MIRRORS_DIFFER()
        .with_remedy(status.RELOAD_ENGINE(), "systemctl reload docker")
        .to_plain()
    ],
}


@dataclass
class Host:
    """What outlives a daemon: the jobs, and what was asked for. The test moves the jobs."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, Any, bool]] = field(default_factory=list)
    """Method, arguments, and whether the caller allows polkit to ask."""
    refusal: DockmgrError | None = None
    status: dict[str, Any] = field(default_factory=lambda: dict(STATUS))
    version: str = "0"
    daemon: Daemon | None = None
    called: asyncio.Event = field(default_factory=asyncio.Event)
    lose_reply: bool = False
    """The daemon dies over the next verb, after it has started the job."""
    never_reply: bool = False
    """A verb is taken, and that is all: somebody thinks about the password."""
    refuse_wait: DockmgrError | None = None
    waits: int = 0

    async def until_called(self) -> None:
        """Return when a client has called what is done with jobs."""
        await asyncio.wait_for(self.called.wait(), HANG_TIMEOUT)

    async def until_waited(self) -> str:
        """Return the id of the last job when a client waits for its end."""
        while not self.waits:
            await self.until_called()
            self.called.clear()
        return list(self.jobs)[-1]

    def add_job(self, kind: str = "install", **properties: Any) -> str:
        """A job that runs, created now unless said otherwise; its id comes back."""
        number = len(self.jobs) + 1
        job_id = f"20260131T12000{number}_abc{number:03}"
        self.jobs[job_id] = {
            "Id": job_id,
            "Kind": kind,
            "InitiatorUid": os.getuid(),
            "CreatedAt": (1 << 60) + number,
            "Unit": names.job_unit(job_id),
            "Stage": "preparing",
            "Progress": 0.0,
            "Message": "",
            "Cancellable": True,
            "State": "running",
            "ErrorName": "",
            "ErrorMessage": "",
            "Result": {},
            "FinishedAt": 0,
            **properties,
        }
        if self.daemon is not None:
            self.daemon.add(self.jobs[job_id])
        return job_id

    def move(self, job_id: str, **properties: Any) -> None:
        """Change properties of a job, and have the daemon tell, if there is one."""
        if "Result" in properties:
            properties["Result"] = to_variants(properties["Result"])
        self.jobs[job_id].update(properties)
        if self.daemon is not None:
            self.daemon.jobs[job_id].move(properties)

    def finish(self, job_id: str, state: str = "done", **properties: Any) -> None:
        self.move(job_id, Stage="finished", State=state, FinishedAt=2 << 59, **properties)


class _Manager(ObjectInterface):
    interface = interfaces.load(names.MANAGER_INTERFACE)

    def __init__(self, host: Host, exports: Exports) -> None:
        super().__init__(Version=host.version)
        self._host = host
        self._exports = exports

    async def last_error(self) -> dict[str, Variant]:
        error = self._exports.get_last_error(get_caller().sender)
        return to_variants(error.to_plain()) if error is not None else {}

    async def get_permissions(self) -> dict[str, str]:
        return {"set-mirror": "yes", "install": "auth", "purge-data": "no", "later": "yes"}

    async def install(self, options: Mapping[str, Variant]) -> str:
        return await self._verb("install", to_plain(options))

    async def set_mirror(self, mirrors: list[str], options: Mapping[str, Variant]) -> str:
        return await self._verb("set-mirror", (mirrors, to_plain(options)))

    async def probe_mirrors(self, mirrors: list[str], options: Mapping[str, Variant]) -> str:
        return await self._verb("probe", (mirrors, to_plain(options)))

    async def uninstall(self, options: Mapping[str, Variant]) -> str:
        return await self._verb("uninstall", to_plain(options))

    async def list_versions(self, options: Mapping[str, Variant]) -> str:
        return await self._verb("versions", to_plain(options))

    async def probe_sources(self, options: Mapping[str, Variant]) -> str:
        return await self._verb("probe-sources", to_plain(options))

    async def status(self) -> dict[str, Variant]:
        return to_variants(self._host.status)

    async def list_sources(self) -> list[dict[str, Variant]]:
        source = {"name": "aliyun", "title": "Alibaba Cloud", "region": "cn", "notes": "Quick."}
        prefix = "https://mirrors.aliyun.com/docker-ce"
        return [to_variants({**source, "prefix": prefix, "intranet": True})]

    async def _verb(self, kind: str, arguments: Any) -> str:
        host = self._host
        host.calls.append((kind, arguments, get_caller().interactive))
        host.called.set()
        if host.refusal is not None:
            raise host.refusal
        if host.never_reply:
            await asyncio.Event().wait()
        path = names.job_path(host.add_job(kind))
        if host.lose_reply:
            host.lose_reply = False
            assert host.daemon is not None
            host.daemon.vanish()
            await asyncio.Event().wait()
        return path


class _Job(ObjectInterface):
    interface = interfaces.load(names.JOB_INTERFACE)

    def __init__(self, host: Host, properties: dict[str, Any]) -> None:
        super().__init__(**properties)
        self._host = host
        self._ended = asyncio.Event()
        self.move({})

    def move(self, properties: Mapping[str, Any]) -> None:
        self.set_properties(**properties)
        if self.properties["State"] != "running":
            self._ended.set()

    async def cancel(self) -> None:
        self._host.calls.append(("cancel", self.properties["Id"], get_caller().interactive))
        self._host.called.set()
        if not self.properties["Cancellable"]:
            raise NotCancellable("Job is installing and must not be stopped half-way.")
        error = {"ErrorName": names.ERROR_PREFIX + "Cancelled", "ErrorMessage": "It was cancelled."}
        self._host.finish(self.properties["Id"], "cancelled", **error)

    async def wait(self) -> dict[str, Variant]:
        self._host.waits += 1
        self._host.called.set()
        if self._host.refuse_wait is not None:
            raise self._host.refuse_wait
        await self._ended.wait()
        if self.properties["ErrorName"]:
            raise from_name(self.properties["ErrorName"], self.properties["ErrorMessage"])
        result: dict[str, Variant] = self.properties["Result"]
        return result


class Daemon:
    """One life of the daemon on a connection of its own."""

    def __init__(self, host: Host, bus: Bus) -> None:
        self._host = host
        self._bus = bus
        self._exports = Exports(bus, names.MANAGER_PATH)
        self.jobs: dict[str, _Job] = {}
        self.manager = _Manager(host, self._exports)
        self._exports.add(names.MANAGER_PATH, self.manager)
        for properties in host.jobs.values():
            self.add(properties)
        host.daemon = self

    def add(self, properties: dict[str, Any]) -> None:
        job = _Job(self._host, properties)
        self.jobs[properties["Id"]] = job
        self._exports.add(names.job_path(properties["Id"]), job)

    async def tell(self) -> None:
        """Return when what was announced is on its way to those who listen."""
        await self._bus.flush()

    async def wait_until_gone(self) -> None:
        """Return when the bus knows that the daemon is gone."""
        await asyncio.gather(self._bus.wait_for_disconnect(), return_exceptions=True)

    def vanish(self) -> None:
        """Be gone at once, as after SIGKILL: no reply, no goodbye."""
        self._host.daemon = None
        self._bus.disconnect()


@asynccontextmanager
async def serving(host: Host, address: str) -> AsyncIterator[Daemon]:
    """Run a daemon over what the host holds, until the context or `vanish` ends it."""
    bus = Bus(address)
    await bus.connect()
    daemon = Daemon(host, bus)
    await bus.own_name(names.BUS_NAME)
    try:
        yield daemon
    finally:
        if host.daemon is daemon:
            daemon.vanish()
        await asyncio.gather(bus.wait_for_disconnect(), return_exceptions=True)


@asynccontextmanager
async def private_bus(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A bus that the test may end, and its address."""
    address = f"unix:path={folder}/bus"
    bus = await asyncio.create_subprocess_exec(
        *("dbus-daemon", "--session", "--nofork", f"--address={address}", "--print-address"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert bus.stdout is not None
    await bus.stdout.readline()
    try:
        yield bus, address
    finally:
        if bus.returncode is None:
            bus.kill()
        await bus.wait()


async def start_cli(
    address: str, *arguments: str, env_more: Mapping[str, str] | None = None, **how: Any
) -> asyncio.subprocess.Process:
    """Start dockmgrctl on the bus at that address, in a pipe by default."""
    pipes = dict.fromkeys(("stdout", "stderr"), asyncio.subprocess.PIPE)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dockmgrd.cli", *arguments),
        cwd=CHECKOUT,
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "TZ": "UTC", **(env_more or {})},
        **{"stdin": asyncio.subprocess.DEVNULL, **pipes, **how},
    )


async def cli(address: str, *arguments: str) -> tuple[int, str, str]:
    """Run dockmgrctl to its end: exit code, standard output, standard error without times."""
    process = await start_cli(address, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), HANG_TIMEOUT)
    assert process.returncode is not None
    return process.returncode, out.decode(), untimed(err.decode())


def untimed(text: str) -> str:
    """The lines of progress without the times before them."""
    return re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", text, flags=re.MULTILINE)


async def run_job(
    address: str, *arguments: str, ends: dict[str, Any], host: Host | None = None
) -> tuple[int, str, str]:
    """Run a command whose job ends as given when the command waits for it."""
    host = host or Host()
    async with serving(host, address):
        running = asyncio.ensure_future(cli(address, *arguments))
        job_id = await host.until_waited()
        host.finish(job_id, **ends)
        return await running
