# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an uninstallation is about, and why it may be refused, before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockmgrd import names
from dockmgrd.errors import (
    ConfigInvalid,
    ConflictingPackages,
    ContainersRunning,
    DockmgrError,
    ServiceFailed,
    UnsafePath,
    WriteFailed,
)
from dockmgrd.host.containerd_places import ContainerdPlaces, find_containerd_places
from dockmgrd.host.rpmdb import LEGACY_PACKAGES, PACKAGES
from dockmgrd.job.context import JobContext
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.packages import drop_ins, purge
from dockmgrd.job.packages.containerd_data import ForeignData, find_foreign_data
from dockmgrd.job.packages.install_plan import abbreviate_names
from dockmgrd.job.packages.installed_engine import (
    InstalledEngine,
    get_package_name,
    list_units,
    make_unmanaged_error,
)
from dockmgrd.job.packages.purge import Purge
from dockmgrd.job.packages.repofile import RepositoryFile
from dockmgrd.job.packages.writable_host import find_packages_refusal
from dockmgrd.job.plan import Plan
from dockmgrd.messages import dnf
from dockmgrd.messages import packages as messages
from dockmgrd.messages.text import Text
from dockmgrd.options.packages import UninstallOptions
from dockmgrd.worker.protocol import Change

REMOVED_PACKAGES = PACKAGES + LEGACY_PACKAGES


@dataclass(frozen=True)
class Removal:
    """What goes beside packages, and why nothing may."""

    options: UninstallOptions
    engine: InstalledEngine
    running: tuple[str, ...]
    """Names of the containers that run."""
    purge: Purge | None
    drop_ins: tuple[FileChange, ...]
    refusal: DockmgrError | None
    containerd: ContainerdPlaces
    """Where containerd keeps its data, as long as its unit says so."""

    async def make_plan(self, changes: Sequence[Change]) -> Plan:
        """All that will be done."""
        repository = RepositoryFile().plan_change(None)
        return Plan(
            changes=tuple(changes),
            files=(*([repository] if repository else []), *self.drop_ins),
            actions=tuple(await self.engine.make_actions(list_units(changes))),
            stops=self.running,
            # Not those of the run time: the engine itself makes and deletes them.
            deletes=self.purge.without(*purge.RUN_FILES).present() if self.purge else (),
        )

    async def find_refusal(self, plan: Plan) -> DockmgrError | None:
        """Why the plan may not be done, now that the packages are known; None when it may."""
        if self.refusal is not None:
            return self.refusal
        if not (self.options.force or self.options.plan):
            dependents = [each for each in plan.changes if not _is_removed(each)]
            if dependents:
                return _make_dependents_error(dependents, plan)
        is_ours = names.DOCKER_UNIT in list_units(plan.changes)
        if self.purge is not None and not is_ours and await self.engine.is_active():
            text = messages.ENGINE_OF_OTHERS(unit=names.DOCKER_UNIT)
            command = f"systemctl stop {names.DOCKER_SOCKET_UNIT} {names.DOCKER_UNIT}"
            return ServiceFailed(text.with_remedy(messages.STOP_AND_PURGE(), command))
        return None


async def examine_host(context: JobContext, options: UninstallOptions) -> Removal:
    """Look at everything that an uninstallation may be refused for, and change nothing.

    :raises ServiceFailed: when an engine does not say which containers run.
    :raises TransactionFailed: when rpm's database cannot be read.
    """
    installed = await context.packages.require_versions()
    engine = InstalledEngine(context, installed)
    running = await engine.list_containers(may_fail=options.force)
    places = await find_containerd_places(context.systemd)
    foreign = find_foreign_data(places)
    to_purge, purge_refusal = None, None
    if options.purge_data:
        try:
            to_purge = await _plan_purge(engine, options, foreign)
        except (UnsafePath, ConfigInvalid, ServiceFailed, WriteFailed) as error:
            purge_refusal = error
    refusals = (
        find_packages_refusal() if installed else None,
        make_containers_error(running, options) if running and not options.force else None,
        _make_containerd_error(engine, foreign, options),
        make_unmanaged_error(engine.unmanaged) if options.purge_data else None,
        purge_refusal,
    )
    return Removal(
        options=options,
        engine=engine,
        running=running,
        purge=to_purge,
        drop_ins=drop_ins.find_drop_ins(every=options.purge_data and not options.keep_config),
        refusal=next((each for each in refusals if each is not None), None),
        containerd=places,
    )


def without_foreign_data(to_purge: Purge, foreign: ForeignData) -> tuple[Purge, list[Text]]:
    """The purge that leaves alone what others keep with containerd, and the notes that say so."""
    notes = [
        messages.CONTAINERD_ROOT_KEPT(path=str(root)).with_remedy(messages.DELETE_ROOT_BY_HAND())
        for root in foreign.other_roots
        if not any(path in (root, *root.parents) for path in to_purge.paths)
    ]
    if not foreign.may_exist:
        return to_purge, notes
    to_purge = to_purge.without(purge.CONTAINERD_DATA, purge.CONTAINERD_RUN_FILES)
    return to_purge, [_describe_kept_data(foreign), *notes]


def _describe_kept_data(foreign: ForeignData) -> Text:
    path = str(purge.CONTAINERD_DATA)
    if foreign.namespaces:
        return messages.CONTAINERD_DATA_KEPT(path=path, namespaces=list(foreign.namespaces))
    if foreign.unreadable:
        return messages.CONTAINERD_DATA_UNKNOWN(path=path, reason=foreign.unreadable)
    return messages.CONTAINERD_OF_OTHERS(path=path)


async def _plan_purge(
    engine: InstalledEngine, options: UninstallOptions, foreign: ForeignData
) -> Purge:
    roots = await engine.find_data_roots()
    everything = Purge(purge.list_paths(roots, keep_config=options.keep_config))
    to_purge, _ = without_foreign_data(everything, foreign)
    to_purge.check()
    return to_purge


def make_containers_error(running: Sequence[str], options: UninstallOptions) -> ContainersRunning:
    text = messages.CONTAINERS_RUNNING(containers=abbreviate_names(running))
    return ContainersRunning(text.with_remedy(messages.AGREE_TO_STOP(), _make_command(options)))


def _make_containerd_error(
    engine: InstalledEngine, foreign: ForeignData, options: UninstallOptions
) -> DockmgrError | None:
    """Uninstalling takes containerd.io away from others, such as the kubelet."""
    if options.force or not foreign.namespaces or not engine.has_our_containerd:
        return None
    text = messages.CONTAINERD_USED(namespaces=list(foreign.namespaces)).with_remedy(
        messages.AGREE_TO_REMOVE_CONTAINERD(), _make_command(options)
    )
    return ContainersRunning(text) if foreign.with_tasks else ConflictingPackages(text)


def _make_command(options: UninstallOptions) -> str:
    """The command that agrees to what was refused."""
    flags = ["--purge-data"] if options.purge_data else []
    flags += ["--keep-config"] if options.keep_config else []
    return " ".join(["dockmgrctl", "uninstall", *flags, "--force"])


def _is_removed(change: Change) -> bool:
    return get_package_name(change) in REMOVED_PACKAGES


def _make_dependents_error(dependents: Sequence[Change], plan: Plan) -> ConflictingPackages:
    packages = [
        dnf.PACKAGE_AND_REASON(package=each.package, reason=each.reason)
        for each in sorted(dependents, key=lambda each: each.package)
    ]
    text = dnf.UNINSTALL_WOULD_REMOVE(packages=packages)
    return ConflictingPackages(text.with_remedy(dnf.AGREE_TO_REMOVE()), plan.to_result())
