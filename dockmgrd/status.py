# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Status tells, kept fresh by the notifications of systemd and of the engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockmgrd import names, paths
from dockmgrd.catalog import Catalogue
from dockmgrd.engine import Engine
from dockmgrd.errors import ServiceFailed
from dockmgrd.hostfiles import ConfiguredMirrors, HostFiles, Problem
from dockmgrd.rpmdb import InstalledPackages
from dockmgrd.systemd1 import Systemd

logger = logging.getLogger(__name__)


@dataclass
class _Live:
    """The engine's service, and what the engine says of itself while that is active."""

    installed: bool = False
    service_state: str = "inactive"
    engine_version: str = ""
    mirrors: tuple[str, ...] = ()


@dataclass
class Status:
    """The state of the host's Docker Engine. `changed` is called when a live fact is another."""

    systemd: Systemd
    engine: Engine
    catalogue: Catalogue
    platform: str
    changed: Callable[[], None]
    live: _Live = field(default_factory=_Live)
    _packages: InstalledPackages = field(default_factory=InstalledPackages)
    _files: HostFiles = field(default_factory=HostFiles)
    _follower: asyncio.Task[None] | None = None
    _refreshing: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Learn the facts, and follow their changes from now on."""
        await self.systemd.watch(names.DOCKER_UNIT, self._unit_moved)
        await self.systemd.watch_reloads(self._units_reloaded)
        await self.refresh()

    async def stop(self) -> None:
        """End what follows the engine."""
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.wait({self._follower})

    async def refresh(self) -> None:
        """Ask systemd and, while its service is active, the engine."""
        unit = await self.systemd.state(names.DOCKER_UNIT)
        live = _Live(installed=unit.load_state == "loaded", service_state=unit.active_state)
        if unit.active:
            try:
                live.engine_version = await self.engine.version()
                live.mirrors = await self.engine.mirrors()
            except ServiceFailed as error:
                logger.info("%s", error)
            self._follow_engine()
        if live != self.live:
            self.live = live
            self.changed()

    def snapshot(self, active_job: str) -> dict[str, Any]:
        """All of Status, as plain values under the keys that the bus shows."""
        packages = self._packages.versions()
        configured = self._files.mirrors()
        repository = self._files.repository()
        return {
            "installed": "docker-ce" in packages,
            "packages": dict(packages),
            "source": self._source_of(repository.base_url),
            "repository-file": repository.path,
            "service-state": self.live.service_state,
            "engine-version": self.live.engine_version,
            "mirrors-configured": list(configured.mirrors),
            "mirrors-active": list(self.live.mirrors),
            "platform": self.platform,
            "active-job": active_job,
            "problems": [
                {"text": each.text, "remedy": each.remedy} for each in self._problems(configured)
            ],
        }

    def _source_of(self, base_url: str) -> str:
        """Name of the source that the repository is from; "" when it is none of the catalogue."""
        for source in self.catalogue.sources.values():
            if base_url.startswith(source.prefix.rstrip("/") + "/"):
                return source.name
        return ""

    def _problems(self, configured: ConfiguredMirrors) -> list[Problem]:
        problems = [Problem(text, f"ls {paths.ADMIN_SOURCES}") for text in self.catalogue.problems]
        if configured.problem is not None:
            problems.append(configured.problem)
        elif self.live.engine_version and configured.mirrors != self.live.mirrors:
            text = "The running engine uses other registry mirrors than daemon.json names."
            problems.append(Problem(text, "systemctl reload docker"))
        if self.live.service_state == "failed":
            problems.append(Problem("docker.service has failed.", "journalctl -u docker"))
        return problems

    def _unit_moved(self, values: Mapping[str, Any]) -> None:
        if "ActiveState" in values:
            self._refresh_soon()

    def _units_reloaded(self) -> None:
        self._refresh_soon()

    def _refresh_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self.refresh())
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    def _follow_engine(self) -> None:
        if self._follower is None or self._follower.done():
            self._follower = asyncio.get_running_loop().create_task(self._await_reloads())

    async def _await_reloads(self) -> None:
        """Refresh whenever the engine has reloaded, by whomever, until it goes away."""
        try:
            async with self.engine.reload_events() as events:
                while await events.readline():
                    self._refresh_soon()
        except ServiceFailed as error:
            logger.debug("no more events of the engine: %s", error)
