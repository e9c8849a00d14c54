# SPDX-License-Identifier: LGPL-2.1-or-later
"""The state of the host's Docker Engine: live facts, and what the host's files say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockmgrd import paths
from dockmgrd.catalog.sources import Catalog, Sources
from dockmgrd.daemon.engine_watch import EngineWatch, Live
from dockmgrd.daemon.mirror_watch import WatchView
from dockmgrd.errors import DockmgrError, redact
from dockmgrd.host.adminconfig import LimitsFile
from dockmgrd.host.configured_mirrors import ConfiguredMirrors, find_unusable_mirrors
from dockmgrd.host.docker_config import HostFiles, Repository
from dockmgrd.host.hosts_support import HostsSupport
from dockmgrd.host.installed_packages import InstalledPackages
from dockmgrd.host.registry_folders import RegistryFile, read_configured_mirrors
from dockmgrd.host.setting_conflicts import find_conflicts
from dockmgrd.messages import registries as registry_messages
from dockmgrd.messages import status as messages
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import find_faults, normalize_known
from dockmgrd.names import DOCKER_HUB

logger = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
"""Seconds between two looks at the files: some calls of stat(2), which read nothing that is as
before. Python cannot wait for changes of files without a library of its own, and the daemon runs
only while somebody needs it.
"""


@dataclass(frozen=True)
class FileFacts:
    """What the files of the host say."""

    packages: Mapping[str, str] = field(default_factory=dict)
    configured: ConfiguredMirrors = field(default_factory=ConfiguredMirrors)
    repository: Repository = field(default_factory=Repository)
    registries: tuple[RegistryFile, ...] = ()
    source: str = ""
    checks: tuple[Mapping[str, Any], ...] = ()
    """What the mirror watch has found."""
    problems: tuple[Text, ...] = ()


@dataclass
class Status:
    """Keeps the facts fresh; `changed` is called when those of the files are others."""

    engine: EngineWatch
    sources: Sources
    platform: str
    limits: LimitsFile
    changed: Callable[[], None] = lambda: None
    watch: WatchView | None = None
    facts: FileFacts = field(default_factory=FileFacts)
    _packages: InstalledPackages = field(default_factory=InstalledPackages)
    _files: HostFiles = field(default_factory=HostFiles)

    @property
    def live(self) -> Live:
        return self.engine.live

    async def refresh(self) -> None:
        """Look at the files, and wait until the engine has been asked once."""
        if self.watch is not None:
            await self.watch.follow_settings()
        packages = await self._packages.versions()
        repository = self._files.repository()
        configured = self._files.mirrors()
        catalog = self.sources.current()
        facts = FileFacts(
            packages=packages,
            configured=configured,
            repository=repository,
            registries=self._files.registries(),
            source=catalog.find_name(repository.base_url),
            checks=tuple(self.watch.checks if self.watch else ()),
            problems=tuple(self._find_file_problems(catalog, configured, repository)),
        )
        if facts != self.facts:
            self.facts = facts
            self.changed()
        await self.engine.wait_until_known()

    async def follow(self, once: Callable[[], None]) -> None:
        """Refresh now and then, until canceled.

        :param once: called after the first time.
        """
        await self._try_to_refresh()
        once()
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            await self._try_to_refresh()

    async def _try_to_refresh(self) -> None:
        try:
            await self.refresh()
        except (DockmgrError, OSError) as error:
            logger.warning("the state of the host cannot be read: %s", error)

    async def snapshot(self) -> dict[str, Any]:
        """All of Status but the job, as plain values under the keys that the bus shows."""
        await self.refresh()
        return {
            "installed": "docker-ce" in self.facts.packages,
            "packages": dict(self.facts.packages),
            "source": self.facts.source,
            "repository-file": self.facts.repository.path,
            "service-state": self.live.service_state,
            "engine-version": self.live.engine_version,
            "mirrors-configured": self.mirrors_configured,
            "mirrors-active": list(self.live.mirrors),
            "mirrors-drift": self.drift,
            "registries": self.registries,
            "mirror-checks": [dict(each) for each in self.facts.checks],
            "platform": self.platform,
            "problems": [each.to_plain() for each in self.problems],
        }

    @property
    def mirrors_configured(self) -> list[str]:
        """The registry mirrors of daemon.json as others may see them."""
        return [redact(each) for each in normalize_known(self.facts.configured.mirrors)]

    @property
    def registries(self) -> list[dict[str, Any]]:
        """The registries that have a hosts.toml file, each with its mirrors."""
        return [each.to_plain() for each in self.facts.registries]

    @property
    def drift(self) -> bool:
        """Whether the running engine uses other mirrors than daemon.json names."""
        configured = self.facts.configured
        setup = self.live.setup
        if not self.live.engine_version or configured.problem is not None:
            return False
        if setup.mirrors or not setup.reads_daemon_json:
            return False  # daemon.json does not say what the engine should use
        return normalize_known(configured.mirrors) != self.live.mirrors

    @property
    def problems(self) -> list[Text]:
        """Return the problems, each with its remedy."""
        problems = [
            *self.live.setup.problems,
            *self._find_setting_conflicts(),
            *self.facts.problems,
        ]
        if self.drift and not find_faults(self.facts.configured.mirrors):
            remedy = messages.RELOAD_ENGINE()
            problems.append(
                messages.MIRRORS_DIFFER().with_remedy(remedy, "systemctl reload docker")
            )
        problems += self._find_unused_mirrors()
        if self.live.service_state == "failed":
            remedy = messages.SEE_ENGINE_LOG()
            problems.append(messages.ENGINE_FAILED().with_remedy(remedy, "journalctl -u docker"))
        elif not self.live.answers:
            remedy = messages.SEE_ENGINE_UNIT()
            problems.append(messages.ENGINE_SILENT().with_remedy(remedy, "systemctl status docker"))
        return [each.map_values(redact) for each in problems]

    def _find_setting_conflicts(self) -> list[Text]:
        """What keeps dockerd from its next start: it may run since before the file was changed."""
        setup, keys = self.live.setup, self.facts.configured.keys
        if setup.command_line is None or not setup.reads_daemon_json:
            return []
        return list(find_conflicts(setup.command_line, keys, str(paths.DAEMON_JSON)))

    def _find_unused_mirrors(self) -> list[Text]:
        """The problem that the running engine does not use the hosts.toml files of ours."""
        registries = [each.registry for each in self.facts.registries if each.mirrors]
        if not registries:
            return []
        if self.live.hosts_support is HostsSupport.CLASSIC_STORE:
            text = registry_messages.CLASSIC_STORE(registry=registries)
            return [text.with_remedy(registry_messages.SWITCH_STORE_OR_CLEAR())]
        if self.live.hosts_support is HostsSupport.OLD_ENGINE:
            version = self.live.engine_version
            text = registry_messages.OLD_ENGINE(version=version, registry=registries)
            return [text.with_remedy(registry_messages.UPGRADE_ENGINE_OR_CLEAR())]
        return []

    def configured_mirrors(self, registry: str) -> tuple[str, ...]:
        """The registry's mirrors on this host; none where it cannot be said."""
        if registry == DOCKER_HUB:
            return normalize_known(self._files.mirrors().mirrors)
        return read_configured_mirrors(registry)

    def _find_file_problems(
        self, catalog: Catalog, configured: ConfiguredMirrors, repository: Repository
    ) -> list[Text]:
        remedy = messages.SEE_SOURCES(path=str(paths.ADMIN_SOURCES))
        problems = [
            text if text.remedy else text.with_remedy(remedy, f"ls -l {paths.ADMIN_SOURCES}")
            for text in catalog.problems
        ]
        self.limits.current()
        if self.limits.problem:
            remedy = messages.FIX_FILE(path=str(paths.ADMIN_CONFIG))
            problems.append(self.limits.problem.with_remedy(remedy))
        if self._packages.problem:
            problems.append(self._packages.problem)
        found = (configured.problem, repository.problem)
        problems += [each for each in found if each is not None]
        if self.watch is not None:
            problems += self.watch.problems
        return [*problems, *find_unusable_mirrors(configured.mirrors)]
