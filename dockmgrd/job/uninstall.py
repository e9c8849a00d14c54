# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uninstall: stop the engine, remove its packages and our repository, and purge if asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockmgrd import daemonjson, names, paths
from dockmgrd.errors import ConfigInvalid, ContainersRunning, DockmgrError, ServiceFailed
from dockmgrd.job import packages, purge
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import Span
from dockmgrd.job.repofile import RepositoryFile
from dockmgrd.model import Stage
from dockmgrd.options import UninstallOptions
from dockmgrd.rpmdb import PACKAGES, InstalledPackages
from dockmgrd.worker.protocol import RemovePackages

_LEGACY = (
    "docker",
    "docker-client",
    "docker-client-latest",
    "docker-common",
    "docker-latest",
    "docker-latest-logrotate",
    "docker-logrotate",
    "docker-selinux",
    "docker-engine-selinux",
    "docker-engine",
)
_DOCKER_UNITS = (names.DOCKER_SOCKET_UNIT, names.DOCKER_UNIT)  # the socket would start the service
_MOST_NAMES_SHOWN = 5
_REMOVAL = Span(0.03, 0.5)
_PURGE = Span(0.55, 0.99)


async def uninstall(context: JobContext, options: UninstallOptions) -> dict[str, Any]:
    """Take the engine off the host; what is not there is not an error.

    Everything that may refuse is asked before anything is stopped, and the engine is stopped only
    when rpm is about to write.

    :returns: `changed`, `removed` (NEVRAs), `purged` (paths), `freed-bytes`.
    :raises ContainersRunning: when containers run that nobody agreed to stop.
    :raises UnsafePath, ConfigInvalid: when what is to be purged cannot be told or trusted.
    :raises DockmgrError: what the package worker and the services raise.
    """
    context.report(Stage.PREPARING, 0.0)
    service = _Service(context)
    if not options.force:
        await service.require_no_containers()
    to_purge = None
    if options.purge_data:
        to_purge = purge.Purge(
            purge.paths_of(await service.data_roots(), keep_config=options.keep_config)
        )
        to_purge.check()
    request = RemovePackages(names=PACKAGES + _LEGACY, allow_removals=options.force)
    try:
        outcome = await packages.run(context, request, _REMOVAL, service.stop)
    except DockmgrError:
        await service.start_again()
        raise
    with context.held():
        if outcome.changed:
            await context.systemd.disable(*service.units)
        repository_changed = RepositoryFile().take_away()
        freed = await _purge(context, to_purge) if to_purge else {}
    context.report(Stage.FINISHED, 1.0)
    return {
        "changed": bool(outcome.changed or repository_changed or freed),
        "removed": list(outcome.removed),
        "purged": [str(path) for path in freed],
        "freed-bytes": sum(freed.values()),
    }


class _Service:
    """The units of the packages that go, and the engine in them."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._stopped: list[str] = []
        # Another package's containerd, such as a Kubernetes node's, is none of ours.
        ours = "containerd.io" in InstalledPackages().versions()
        self.units = (*_DOCKER_UNITS, *([names.CONTAINERD_UNIT] if ours else []))

    async def require_no_containers(self) -> None:
        """:raises ContainersRunning: naming those that run; ServiceFailed: when nobody can say."""
        if not await self._is_active(names.DOCKER_UNIT):
            return
        containers = await self._context.engine.containers()
        if not containers:
            return
        shown = [str(each["Names"][0]).lstrip("/") for each in containers[:_MOST_NAMES_SHOWN]]
        if len(containers) > len(shown):
            shown.append(f"{len(containers) - len(shown)} more")
        raise ContainersRunning(
            f"Containers are running: {', '.join(shown)}; stop them, or uninstall with --force to "
            "have them stopped."
        )

    async def data_roots(self) -> tuple[Path, ...]:
        """Where the engine keeps its data, as it says itself and as daemon.json says.

        :raises ConfigInvalid: when daemon.json cannot be read; then nobody knows for sure.
        """
        roots = []
        if await self._is_active(names.DOCKER_UNIT):
            roots.append((await self._context.engine.info())["DockerRootDir"])
        try:
            content = paths.DAEMON_JSON.read_bytes()
        except FileNotFoundError:
            content = b""
        configured = daemonjson.parse(content, str(paths.DAEMON_JSON)).values
        for key in ("data-root", "graph"):  # "graph" is the name until 17.05
            root = configured.get(key, "")
            if not isinstance(root, str):
                raise ConfigInvalid(f'"{key}" in {paths.DAEMON_JSON} is no path; correct it.')
            roots.append(root)
        return tuple(Path(root) for root in roots if root)

    async def stop(self) -> None:
        """Stop the units, and the containers that would outlive them.

        :raises ServiceFailed: when one does not stop.
        """
        self._context.report(Stage.STOPPING, _REMOVAL.at(0.2), names.DOCKER_UNIT)
        await self._stop_surviving_containers()
        for unit in self.units:
            if await self._is_active(unit):
                self._stopped.append(unit)
            await self._context.systemd.stop(unit)

    async def start_again(self) -> None:
        """Start what was stopped, when the packages could not be removed."""
        for unit in self._stopped:
            try:
                await self._context.systemd.start(unit)
            except DockmgrError as error:
                self._context.notes.append(error.message)

    async def _stop_surviving_containers(self) -> None:
        """With live-restore, containers go on when the engine stops."""
        if not await self._is_active(names.DOCKER_UNIT):
            return
        engine = self._context.engine
        try:
            if (await engine.info()).get("LiveRestoreEnabled"):
                running = await engine.containers()
                await asyncio.gather(*(engine.stop_container(each["Id"]) for each in running))
        except ServiceFailed as error:  # an engine that hangs can be uninstalled, too
            self._context.notes.append(error.message)

    async def _is_active(self, unit: str) -> bool:
        return (await self._context.systemd.state(unit)).active


async def _purge(context: JobContext, wanted: purge.Purge) -> Mapping[Path, int]:
    """Delete the data of what does not run any more; the bytes that each path has freed.

    :raises ServiceFailed: when an engine runs that is not of our packages.
    """
    if (await context.systemd.state(names.DOCKER_UNIT)).active:
        raise ServiceFailed(
            "docker.service still runs and is not of Docker's packages, so its data stays; stop it "
            "and uninstall with --purge-data again."
        )
    to_go = wanted
    if (await context.systemd.state(names.CONTAINERD_UNIT)).active:
        to_go = wanted.without(purge.CONTAINERD_DATA, purge.CONTAINERD_RUN_FILES)
        context.notes.append(
            f"containerd still runs and is not of Docker's packages, so {purge.CONTAINERD_DATA} "
            "stays."
        )
    loop = asyncio.get_running_loop()

    def progress(fraction: float, message: str) -> None:
        loop.call_soon_threadsafe(context.report, Stage.PURGING, _PURGE.at(fraction), message)

    context.report(Stage.PURGING, _PURGE.start)
    return await loop.run_in_executor(None, to_go.run, progress)
