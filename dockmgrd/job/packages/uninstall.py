# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uninstall: stop the engine, remove its packages and our repository, and purge if asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dockmgrd import names
from dockmgrd.enums import Stage
from dockmgrd.errors import DockmgrError, ServiceFailed, from_name
from dockmgrd.host.container_processes import find_container_processes
from dockmgrd.host.containerd_places import find_containerd_places
from dockmgrd.host.running_engine import find_unmanaged_engine
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import drop_ins, purge, worker
from dockmgrd.job.packages.containerd_data import find_foreign_data
from dockmgrd.job.packages.installed_engine import list_units, make_unmanaged_error
from dockmgrd.job.packages.leftovers import find_leftovers
from dockmgrd.job.packages.purge_size import measure_purge
from dockmgrd.job.packages.removal import (
    REMOVED_PACKAGES,
    Removal,
    examine_host,
    make_containers_error,
    without_foreign_data,
)
from dockmgrd.job.packages.repofile import RepositoryFile
from dockmgrd.job.packages.worker import Span
from dockmgrd.job.plan import Plan
from dockmgrd.messages import packages as messages
from dockmgrd.options.packages import UninstallOptions
from dockmgrd.worker.protocol import Outcome, RemovePackages

_REMOVAL = Span(0.03, 0.5)
_PURGE = Span(0.55, 0.99)


async def uninstall(context: JobContext, options: UninstallOptions) -> dict[str, Any]:
    """Take the engine off the host; what is not there is not an error.

    Everything that may refuse is asked before anything is stopped, and the engine is stopped only
    when rpm is about to write.

    :returns: `changed`, `removed` (NEVRAs), `purged` (paths), `freed-bytes`, and `diff`, `steps`
        and `digest` of the plan. A dry run: what `Plan.to_result` has, with `purge-data` what
        `measure_purge` returns, and as `refusal` the error with which the same without dry-run
        would end, where it would.
    :raises ContainersRunning: when containers run that nobody agreed to stop.
    :raises ConflictingPackages: when other packages, or others by containerd, need what goes.
    :raises UnsupportedPlatform, WriteFailed: when packages cannot be changed on this host.
    :raises UnsafePath, ConfigInvalid: when what is to be purged is not known or not safe.
    :raises PlanChanged: when the caller has agreed to something else.
    :raises DockmgrError: what the package worker and the services raise.
    """
    context.report(Stage.PREPARING, 0.0)
    removal = await examine_host(context, options)
    if options.dry_run:
        return await _rehearse(context, removal)
    if removal.refusal is not None:
        raise removal.refusal
    outcome, plan = await _remove_packages(context, removal)
    with context.hold(), _reporting_packages(outcome):
        units = list_units(plan.changes)
        if outcome.changed and units:
            await context.systemd.disable(*units)
        if options.force and (names.DOCKER_UNIT in units or removal.purge):
            await removal.engine.end_surviving_containers()
        repository_changed = RepositoryFile().remove()
        freed = await _purge(context, removal) if removal.purge else {}
        if removal.drop_ins:
            drop_ins.delete_drop_ins(removal.drop_ins)
            await context.systemd.reload_manager()
        if outcome.changed:
            context.add_notes(await find_leftovers())
    purged = [str(path) for path in (*freed, *(each.path for each in removal.drop_ins))]
    return {
        "changed": bool(outcome.changed or repository_changed or purged),
        "removed": list(outcome.removed),
        "purged": purged,
        "freed-bytes": sum(freed.values()),
        **plan.to_record(),
    }


@contextmanager
def _reporting_packages(outcome: Outcome) -> Iterator[None]:
    """Have an error in the context say that the packages are gone."""
    try:
        yield
    except DockmgrError as error:
        if not outcome.changed:
            raise
        text = error.text.extend(messages.PACKAGES_ARE_REMOVED)
        raise from_name(error.dbus_name, text) from error


async def _rehearse(context: JobContext, removal: Removal) -> dict[str, Any]:
    try:
        async with worker.transaction(context, _make_request(removal), _REMOVAL) as transaction:
            plan = await removal.make_plan(await transaction.resolve())
    except DockmgrError:
        if removal.refusal is None:
            raise
        plan = Plan()  # There is none, but the job would not have come so far.
    refusal = await removal.find_refusal(plan)
    sizes = await measure_purge(context, removal, plan) if removal.options.purge_data else {}
    return {
        "dry-run": True,
        "changed": bool(plan.steps),
        **plan.to_result(),
        **sizes,
        **({"refusal": refusal.to_plain()} if refusal is not None else {}),
    }


async def _remove_packages(context: JobContext, removal: Removal) -> tuple[Outcome, Plan]:
    """Remove the packages; when that fails, what was stopped for it runs again."""
    async with worker.transaction(context, _make_request(removal), _REMOVAL) as transaction:
        ready = False
        while not ready:
            plan = await removal.make_plan(await transaction.resolve())
            plan.require_digest(removal.options.plan)
            refusal = await removal.find_refusal(plan)
            if refusal is not None:
                raise refusal
            ready = await transaction.prepare()
        try:
            if plan.changes:
                await removal.engine.stop(list_units(plan.changes), _REMOVAL.at(0.2))
            return await transaction.commit(), plan
        except DockmgrError:
            await removal.engine.start_again()
            raise


def _make_request(removal: Removal) -> RemovePackages:
    # Who agrees to a plan agrees to the removals in it.
    options = removal.options
    return RemovePackages(
        names=REMOVED_PACKAGES,
        allow_removals=options.force or bool(options.plan),
        lock_wait=options.lock_wait,
    )


async def _purge(context: JobContext, removal: Removal) -> Mapping[Path, int]:
    """Delete the data of what does not run any more; the bytes that each path has freed.

    :raises ServiceFailed: when an engine runs that is not of our packages.
    :raises ContainersRunning: when a container runs without an engine.
    """
    if (await context.systemd.get_state(names.DOCKER_UNIT)).active:
        text = messages.ENGINE_OF_OTHERS(unit=names.DOCKER_UNIT)
        command = f"systemctl stop {names.DOCKER_SOCKET_UNIT} {names.DOCKER_UNIT}"
        raise ServiceFailed(text.with_remedy(messages.STOP_AND_PURGE(), command))
    unmanaged = make_unmanaged_error(find_unmanaged_engine(names.DOCKER_UNIT))
    if unmanaged is not None:
        raise unmanaged
    running = [each.name for each in find_container_processes()]
    if running:
        raise make_containers_error(running, removal.options)
    places = await find_containerd_places(context.systemd)
    foreign = find_foreign_data(places.with_former(removal.containerd))
    assert removal.purge is not None
    to_purge, notes = without_foreign_data(removal.purge, foreign)
    context.add_notes(notes)
    if (await context.systemd.get_state(names.CONTAINERD_UNIT)).active:
        if purge.CONTAINERD_DATA in to_purge.paths:
            context.add_note(messages.CONTAINERD_OF_OTHERS(path=str(purge.CONTAINERD_DATA)))
        to_purge = to_purge.without(purge.CONTAINERD_DATA, purge.CONTAINERD_RUN_FILES)
    loop = asyncio.get_running_loop()

    def progress(fraction: float, message: str) -> None:
        loop.call_soon_threadsafe(context.report, Stage.PURGING, _PURGE.at(fraction), message)

    context.report(Stage.PURGING, _PURGE.start)
    return await loop.run_in_executor(None, to_purge.run, progress)
