# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uninstall: stop the engine, remove its packages and our repository, and purge if asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd import names, paths
from dockmgrd.errors import (
    ConfigInvalid,
    ConflictingPackages,
    ContainersRunning,
    DockmgrError,
    ServiceFailed,
)
from dockmgrd.host import daemonjson
from dockmgrd.host.rpmdb import LEGACY_PACKAGES, PACKAGES, installed_versions
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import dropins, purge, worker
from dockmgrd.job.packages.install_plan import shown
from dockmgrd.job.packages.repofile import RepositoryFile
from dockmgrd.job.packages.worker import Span
from dockmgrd.job.plan import FileChange, Plan
from dockmgrd.model import Stage
from dockmgrd.options import UninstallOptions
from dockmgrd.worker.protocol import Change, Outcome, RemovePackages

_DOCKER_UNITS = (names.DOCKER_SOCKET_UNIT, names.DOCKER_UNIT)  # the socket would start the service
_REMOVAL = Span(0.03, 0.5)
_PURGE = Span(0.55, 0.99)


async def uninstall(context: JobContext, options: UninstallOptions) -> dict[str, Any]:
    """Take the engine off the host; what is not there is not an error.

    Everything that may refuse is asked before anything is stopped, and the engine is stopped only
    when rpm is about to write.

    :returns: `changed`, `removed` (NEVRAs), `purged` (paths), `freed-bytes`. A dry run: what
        `Plan.described` has, `volumes` that would be deleted, and in `refusal` why the same
        without dry-run would be refused, where it would.
    :raises ContainersRunning: when containers run that nobody agreed to stop.
    :raises UnsafePath, ConfigInvalid: when what is to be purged cannot be told or trusted.
    :raises PlanChanged: when the caller has agreed to something else.
    :raises DockmgrError: what the package worker and the services raise.
    """
    context.report(Stage.PREPARING, 0.0)
    service = _Service(context)
    running = await service.containers(may_fail=options.force)
    if running and not options.force and not options.dry_run:
        raise ContainersRunning(_refusal(running))
    to_purge = None
    if options.purge_data:
        to_purge = purge.Purge(
            purge.paths_of(await service.data_roots(), keep_config=options.keep_config)
        )
        to_purge.check()
    drop_ins = dropins.to_delete(every=options.purge_data and not options.keep_config)
    host = _Host(service, running, to_purge, drop_ins)
    if options.dry_run:
        return await _rehearse(context, options, host)
    outcome = await _remove(context, options, host)
    with context.held():
        if outcome.changed:
            await context.systemd.disable(*service.units)
        repository_changed = RepositoryFile().take_away()
        freed = await _purge(context, to_purge) if to_purge else {}
        if drop_ins:
            dropins.delete(drop_ins)
            await context.systemd.reload_manager()
    purged = [str(path) for path in (*freed, *(each.path for each in drop_ins))]
    return {
        "changed": bool(outcome.changed or repository_changed or purged),
        "removed": list(outcome.removed),
        "purged": purged,
        "freed-bytes": sum(freed.values()),
    }


@dataclass(frozen=True)
class _Host:
    """What an uninstallation is about, beside packages."""

    service: _Service
    running: tuple[str, ...]
    """Names of the containers that run."""
    to_purge: purge.Purge | None
    drop_ins: tuple[FileChange, ...]

    async def plan(self, changes: Sequence[Change]) -> Plan:
        """All that will be done."""
        repository = RepositoryFile().change(None)
        return Plan(
            changes=tuple(changes),
            files=(*([repository] if repository else []), *self.drop_ins),
            actions=tuple(await self.service.actions()) if changes else (),
            stops=self.running,
            # Not those of the run time: the engine itself makes and deletes them.
            deletes=self.to_purge.without(*purge.RUN_FILES).present() if self.to_purge else (),
        )


async def _rehearse(context: JobContext, options: UninstallOptions, host: _Host) -> dict[str, Any]:
    async with worker.transaction(context, _request(options), _REMOVAL) as transaction:
        plan = await host.plan(await transaction.resolved())
    volumes = await host.service.volumes() if options.purge_data else ()
    refused = bool(host.running) and not options.force
    return {
        "dry-run": True,
        "changed": bool(plan.steps),
        **plan.described(),
        **({"volumes": list(volumes)} if volumes else {}),
        **({"refusal": _refusal(host.running)} if refused else {}),
    }


async def _remove(context: JobContext, options: UninstallOptions, host: _Host) -> Outcome:
    """Remove the packages; when that fails, what was stopped for it runs again."""
    async with worker.transaction(context, _request(options), _REMOVAL) as transaction:
        ready = False
        while not ready:
            plan = await host.plan(await transaction.resolved())
            plan.require(options.plan)
            ready = await _prepare(transaction, plan)
        try:
            if plan.changes:
                await host.service.stop()
            return await transaction.commit()
        except DockmgrError:
            await host.service.start_again()
            raise


async def _prepare(transaction: worker.Transaction, plan: Plan) -> bool:
    try:
        return await transaction.prepare()
    except ConflictingPackages as error:
        error.details = plan.described()
        raise


def _request(options: UninstallOptions) -> RemovePackages:
    # Who agrees to a plan agrees to the removals in it.
    return RemovePackages(
        names=PACKAGES + LEGACY_PACKAGES,
        allow_removals=options.force or bool(options.plan),
        lock_wait=options.lock_wait,
    )


def _refusal(containers: Sequence[str]) -> str:
    return (
        f"Containers are running: {shown(containers)}; stop them, or uninstall with --force to "
        "have them stopped."
    )


class _Service:
    """The units of the packages that go, and the engine in them."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._stopped: list[str] = []
        # Another package's containerd, such as a Kubernetes node's, is none of ours.
        ours = "containerd.io" in installed_versions()
        self.units = (*_DOCKER_UNITS, *([names.CONTAINERD_UNIT] if ours else []))

    async def containers(self, *, may_fail: bool) -> tuple[str, ...]:
        """Names of the containers that run.

        :raises ServiceFailed: when nobody can say, unless that `may_fail`.
        """
        if not await self._is_active(names.DOCKER_UNIT):
            return ()
        try:
            containers = await self._context.engine.containers()
        except ServiceFailed:  # an engine that hangs can be uninstalled, too
            if not may_fail:
                raise
            return ()
        return tuple(str(each["Names"][0]).lstrip("/") for each in containers)

    async def volumes(self) -> tuple[str, ...]:
        """Names of the volumes of the running engine."""
        if not await self._is_active(names.DOCKER_UNIT):
            return ()
        return await self._context.engine.volumes()

    async def actions(self) -> list[str]:
        """What is done with units when their packages go."""
        stopped = [f"stop {unit}" for unit in self.units if await self._is_active(unit)]
        states = [(unit, await self._context.systemd.state(unit)) for unit in self.units]
        enabled = [unit for unit, state in states if state.unit_file_state == "enabled"]
        return [*stopped, *(f"disable {unit}" for unit in enabled)]

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
                self._context.add_note(error.message)

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
            self._context.add_note(error.message)

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
        context.add_note(
            f"containerd still runs and is not of Docker's packages, so {purge.CONTAINERD_DATA} "
            "stays."
        )
    loop = asyncio.get_running_loop()

    def progress(fraction: float, message: str) -> None:
        loop.call_soon_threadsafe(context.report, Stage.PURGING, _PURGE.at(fraction), message)

    context.report(Stage.PURGING, _PURGE.start)
    return await loop.run_in_executor(None, to_go.run, progress)
