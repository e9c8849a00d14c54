# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an installation will do beside packages: files, units, and the containers that run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockmgrd import names, paths
from dockmgrd.errors import ConfigInvalid, ServiceFailed
from dockmgrd.host import atomicfile, daemonjson
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.container_processes import find_container_processes
from dockmgrd.host.setting_conflicts import DEFAULT_COMMAND_LINE, find_conflicts
from dockmgrd.host.units import UnitState
from dockmgrd.job.context import JobContext
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.mirrors import change
from dockmgrd.job.packages.repofile import Repository, RepositoryFile
from dockmgrd.job.plan import Plan
from dockmgrd.messages import packages as messages
from dockmgrd.messages import steps
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import normalize_known
from dockmgrd.options.packages import FASTEST, InstallOptions
from dockmgrd.worker.protocol import Change

_RESTARTED_UNITS = {"docker-ce-": names.DOCKER_UNIT, "containerd.io-": names.CONTAINERD_UNIT}
"""Packages whose scripts restart a unit when another version of them comes."""
_MAX_NAMES = 5


async def make_plan(
    context: JobContext,
    options: InstallOptions,
    repository: Repository,
    changes: Sequence[Change],
) -> tuple[Plan, tuple[Text, ...]]:
    """The plan, and sentences on what it means for running containers."""
    unit = await context.systemd.get_state(names.DOCKER_UNIT)
    restarts = [
        each for each in _find_restarts(changes) if (await context.systemd.get_state(each)).active
    ]
    files = [RepositoryFile().plan_change(repository, binding=options.sources == (FASTEST,))]
    actions = [steps.RESTART_UNIT(unit=each) for each in restarts]
    if options.enable and unit.unit_file_state != "enabled":
        actions.append(steps.ENABLE_UNIT(unit=names.DOCKER_UNIT))
    if options.start and not unit.active:
        actions.append(steps.START_UNIT(unit=names.DOCKER_UNIT))
    if options.mirrors is not None:
        mirrors, reloads = await _plan_mirrors(context, unit, options.mirrors)
        files.append(mirrors)
        actions += [steps.RELOAD_UNIT(unit=names.DOCKER_UNIT)] if reloads else []
    notes = [await _describe_restart(context, changes)] if names.DOCKER_UNIT in restarts else []
    notes += await _find_setting_conflicts(context, unit) if options.start else []
    notes += _describe_survivors() if options.start and not unit.active else []
    plan = Plan(
        changes=tuple(changes),
        files=tuple(each for each in files if each is not None),
        actions=tuple(actions),
    )
    return plan, tuple(notes)


def _find_restarts(changes: Sequence[Change]) -> list[str]:
    replaced = [each.replaces for each in changes if each.replaces]
    return [
        unit
        for prefix, unit in _RESTARTED_UNITS.items()
        if any(_has_name(prefix, package) for package in replaced)
    ]


def _has_name(prefix: str, nevra: str) -> bool:
    """Whether the package has the name: what follows it begins with a number."""
    return nevra.startswith(prefix) and nevra[len(prefix)].isdigit()


async def _plan_mirrors(
    context: JobContext, unit: UnitState, mirrors: tuple[str, ...]
) -> tuple[FileChange | None, bool]:
    """The change of daemon.json, and whether the running engine has to reload."""
    before, document = change.read_config()
    wanted = normalize_known(mirrors)
    in_use = (await context.engine.facts()).mirrors if unit.active else ()
    new = change.Change.plan(document, before, wanted)
    file = FileChange(paths.DAEMON_JSON, before, new.after) if new.is_needed(in_use) else None
    return file, unit.active and (file is not None or in_use != wanted)


async def _find_setting_conflicts(context: JobContext, unit: UnitState) -> list[Text]:
    """Settings with which the engine would not start; none for a file that cannot be read."""
    command_line = DEFAULT_COMMAND_LINE
    if unit.load_state == "loaded":
        command_line = await CommandLine.read(context.systemd, unit)
    file = command_line.config_file
    try:
        content = atomicfile.read(file) or b""
        keys = daemonjson.parse(content, str(file)).values.keys()
    except ConfigInvalid:
        return []
    return list(find_conflicts(command_line, keys, str(file)))


async def _describe_restart(context: JobContext, changes: Sequence[Change]) -> Text:
    """What a restart of the engine means for its containers."""
    try:
        facts = await context.engine.facts()
        running = await context.engine.containers()
    except ServiceFailed as error:
        return messages.RESTART_UNCLEAR(reason=error.text)
    if not running:
        return messages.RESTART_NO_CONTAINERS()
    containers = abbreviate_names(each.name for each in running)
    if not facts.live_restore:
        return messages.RESTART_STOPS_CONTAINERS(containers=containers)
    if _is_patch_upgrade(changes):
        return messages.RESTART_KEEPS_CONTAINERS(containers=containers)
    return messages.RESTART_MAY_KEEP_CONTAINERS(containers=containers)


def _describe_survivors() -> list[Text]:
    """What a start of the engine means for containers that have outlived it."""
    containers = [each.name for each in find_container_processes()]
    if not containers:
        return []
    return [messages.START_FINDS_CONTAINERS(containers=abbreviate_names(containers))]


def _is_patch_upgrade(changes: Sequence[Change]) -> bool:
    """Whether the engine goes from one patch release to another."""
    for each in changes:
        if _has_name("docker-ce-", each.package) and each.replaces:
            return _minor_version(each.package) == _minor_version(each.replaces)
    return True


def _minor_version(nevra: str) -> list[str]:
    evr = nevra[len("docker-ce-") :]
    return evr.rpartition(":")[2].split(".")[:2]


def abbreviate_names(containers: Iterable[str]) -> list[str | Text]:
    """The names for a sentence, which a host with many must not make endless."""
    every = list(containers)
    if len(every) <= _MAX_NAMES:
        return [*every]
    return [*every[:_MAX_NAMES], messages.MORE_NAMES(count=len(every) - _MAX_NAMES)]
