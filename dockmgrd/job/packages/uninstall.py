# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uninstall: stop the engine, remove its packages and our repository, and purge if asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd import names
from dockmgrd.errors import (
    ConflictingPackages,
    ContainersRunning,
    DockmgrError,
    ServiceFailed,
)
from dockmgrd.host.rpmdb import LEGACY_PACKAGES, PACKAGES
from dockmgrd.job.context import JobContext
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.packages import drop_ins, purge, worker
from dockmgrd.job.packages.install_plan import abbreviate_names
from dockmgrd.job.packages.installed_engine import InstalledEngine
from dockmgrd.job.packages.repofile import RepositoryFile
from dockmgrd.job.packages.worker import Span
from dockmgrd.job.plan import Plan
from dockmgrd.messages import packages as messages
from dockmgrd.model import Stage
from dockmgrd.options import UninstallOptions
from dockmgrd.worker.protocol import Change, Outcome, RemovePackages

_REMOVAL = Span(0.03, 0.5)
_PURGE = Span(0.55, 0.99)


async def uninstall(context: JobContext, options: UninstallOptions) -> dict[str, Any]:
    """Take the engine off the host; what is not there is not an error.

    Everything that may refuse is asked before anything is stopped, and the engine is stopped only
    when rpm is about to write.

    :returns: `changed`, `removed` (NEVRAs), `purged` (paths), `freed-bytes`. A dry run: what
        `Plan.to_result` has, `volumes` that would be deleted, and in `refusal` why the same
        without dry-run would be refused, where it would.
    :raises ContainersRunning: when containers run that nobody agreed to stop.
    :raises UnsafePath, ConfigInvalid: when what is to be purged cannot be told or trusted.
    :raises PlanChanged: when the caller has agreed to something else.
    :raises DockmgrError: what the package worker and the services raise.
    """
    context.report(Stage.PREPARING, 0.0)
    engine = InstalledEngine(context)
    running = await engine.containers(may_fail=options.force)
    if running and not options.force and not options.dry_run:
        raise _make_refusal(running, options)
    to_purge = None
    if options.purge_data:
        to_purge = purge.Purge(
            purge.paths_of(await engine.data_roots(), keep_config=options.keep_config)
        )
        to_purge.check()
    files = drop_ins.find_drop_ins(every=options.purge_data and not options.keep_config)
    host = _Host(engine, running, to_purge, files)
    if options.dry_run:
        return await _rehearse(context, options, host)
    outcome = await _remove(context, options, host)
    with context.held():
        if outcome.changed:
            await context.systemd.disable(*engine.units)
        repository_changed = RepositoryFile().remove()
        freed = await _purge(context, to_purge) if to_purge else {}
        if files:
            drop_ins.delete_drop_ins(files)
            await context.systemd.reload_manager()
    purged = [str(path) for path in (*freed, *(each.path for each in files))]
    return {
        "changed": bool(outcome.changed or repository_changed or purged),
        "removed": list(outcome.removed),
        "purged": purged,
        "freed-bytes": sum(freed.values()),
    }


@dataclass(frozen=True)
class _Host:
    """What an uninstallation is about, beside packages."""

    engine: InstalledEngine
    running: tuple[str, ...]
    """Names of the containers that run."""
    to_purge: purge.Purge | None
    drop_ins: tuple[FileChange, ...]

    async def plan(self, changes: Sequence[Change]) -> Plan:
        """All that will be done."""
        repository = RepositoryFile().plan_change(None)
        return Plan(
            changes=tuple(changes),
            files=(*([repository] if repository else []), *self.drop_ins),
            actions=tuple(await self.engine.actions()) if changes else (),
            stops=self.running,
            # Not those of the run time: the engine itself makes and deletes them.
            deletes=self.to_purge.without(*purge.RUN_FILES).present() if self.to_purge else (),
        )


async def _rehearse(context: JobContext, options: UninstallOptions, host: _Host) -> dict[str, Any]:
    async with worker.transaction(context, _make_request(options), _REMOVAL) as transaction:
        plan = await host.plan(await transaction.resolved())
    volumes = await host.engine.volumes() if options.purge_data else ()
    refused = bool(host.running) and not options.force
    return {
        "dry-run": True,
        "changed": bool(plan.steps),
        **plan.to_result(),
        **({"volumes": list(volumes)} if volumes else {}),
        **({"refusal": _make_refusal(host.running, options).to_plain()} if refused else {}),
    }


async def _remove(context: JobContext, options: UninstallOptions, host: _Host) -> Outcome:
    """Remove the packages; when that fails, what was stopped for it runs again."""
    async with worker.transaction(context, _make_request(options), _REMOVAL) as transaction:
        ready = False
        while not ready:
            plan = await host.plan(await transaction.resolved())
            plan.require_digest(options.plan)
            ready = await _prepare(transaction, plan)
        try:
            if plan.changes:
                await host.engine.stop(_REMOVAL.at(0.2))
            return await transaction.commit()
        except DockmgrError:
            await host.engine.start_again()
            raise


async def _prepare(transaction: worker.Transaction, plan: Plan) -> bool:
    try:
        return await transaction.prepare()
    except ConflictingPackages as error:
        error.details = plan.to_result()
        raise


def _make_request(options: UninstallOptions) -> RemovePackages:
    # Who agrees to a plan agrees to the removals in it.
    return RemovePackages(
        names=PACKAGES + LEGACY_PACKAGES,
        allow_removals=options.force or bool(options.plan),
        lock_wait=options.lock_wait,
    )


def _make_refusal(containers: Sequence[str], options: UninstallOptions) -> ContainersRunning:
    text = messages.CONTAINERS_RUNNING(containers=abbreviate_names(containers))
    purge_too = " --purge-data" if options.purge_data else ""
    command = f"dockmgrctl uninstall{purge_too} --force"
    return ContainersRunning(text.with_remedy(messages.AGREE_TO_STOP(), command))


async def _purge(context: JobContext, wanted: purge.Purge) -> Mapping[Path, int]:
    """Delete the data of what does not run any more; the bytes that each path has freed.

    :raises ServiceFailed: when an engine runs that is not of our packages.
    """
    if (await context.systemd.get_state(names.DOCKER_UNIT)).active:
        text = messages.ENGINE_OF_OTHERS(unit=names.DOCKER_UNIT)
        command = f"systemctl stop {names.DOCKER_SOCKET_UNIT} {names.DOCKER_UNIT}"
        raise ServiceFailed(text.with_remedy(messages.STOP_AND_PURGE(), command))
    to_go = wanted
    if (await context.systemd.get_state(names.CONTAINERD_UNIT)).active:
        to_go = wanted.without(purge.CONTAINERD_DATA, purge.CONTAINERD_RUN_FILES)
        context.add_note(messages.CONTAINERD_OF_OTHERS(path=str(purge.CONTAINERD_DATA)))
    loop = asyncio.get_running_loop()

    def progress(fraction: float, message: str) -> None:
        loop.call_soon_threadsafe(context.report, Stage.PURGING, _PURGE.at(fraction), message)

    context.report(Stage.PURGING, _PURGE.start)
    return await loop.run_in_executor(None, to_go.run, progress)
