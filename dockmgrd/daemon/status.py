# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Status tells: live facts, and what the host's files say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dockmgrd import paths
from dockmgrd.catalog.source_cache import Sources
from dockmgrd.daemon.engine_watch import EngineWatch, Live
from dockmgrd.errors import redacted
from dockmgrd.host.adminconfig import AdminConfigFile
from dockmgrd.host.docker_config import ConfiguredMirrors, HostFiles, Problem
from dockmgrd.host.rpmdb import InstalledPackages
from dockmgrd.mirror_urls import as_known


@dataclass
class Status:
    """The state of the host's Docker Engine, put together when it is asked for."""

    engine: EngineWatch
    sources: Sources
    platform: str
    limits: AdminConfigFile
    _packages: InstalledPackages = field(default_factory=InstalledPackages)
    _files: HostFiles = field(default_factory=HostFiles)

    @property
    def live(self) -> Live:
        return self.engine.live

    async def snapshot(self, active_job: str) -> dict[str, Any]:
        """All of Status, as plain values under the keys that the bus shows."""
        packages = await self._packages.versions()
        await self.engine.known()
        configured = self._files.mirrors()
        repository = self._files.repository()
        return {
            "installed": "docker-ce" in packages,
            "packages": dict(packages),
            "source": self._source_of(repository.base_url),
            "repository-file": repository.path,
            "service-state": self.live.service_state,
            "engine-version": self.live.engine_version,
            "mirrors-configured": [redacted(each) for each in as_known(configured.mirrors)],
            "mirrors-active": list(self.live.mirrors),
            "mirrors-drift": self._drift(configured),
            "platform": self.platform,
            "active-job": active_job,
            "problems": [
                {"text": each.text, "remedy": each.remedy} for each in self._problems(configured)
            ],
        }

    def configured_mirrors(self) -> tuple[str, ...]:
        """The registry mirrors that daemon.json names; none where it cannot be said."""
        return as_known(self._files.mirrors().mirrors)

    def _source_of(self, base_url: str) -> str:
        """Name of the source that the repository is from; "" when it is none of the catalogue."""
        for source in self.sources.current().sources.values():
            if base_url.startswith(source.prefix.rstrip("/") + "/"):
                return source.name
        return ""

    def _drift(self, configured: ConfiguredMirrors) -> bool:
        """Whether the running engine uses other mirrors than daemon.json names."""
        known = self.live.engine_version and configured.problem is None
        return bool(known) and as_known(configured.mirrors) != self.live.mirrors

    def _problems(self, configured: ConfiguredMirrors) -> list[Problem]:
        problems = [
            Problem(text, f"ls {paths.ADMIN_SOURCES}") for text in self.sources.current().problems
        ]
        self.limits.current()
        if self.limits.problem:
            problems.append(Problem(self.limits.problem, f"mend {paths.ADMIN_CONFIG}"))
        if configured.problem is not None:
            problems.append(configured.problem)
        elif self._drift(configured):
            text = "The running engine uses other registry mirrors than daemon.json names."
            problems.append(Problem(text, "systemctl reload docker"))
        if self.live.service_state == "failed":
            problems.append(Problem("docker.service has failed.", "journalctl -u docker"))
        return problems
