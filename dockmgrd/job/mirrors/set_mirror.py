# SPDX-License-Identifier: LGPL-2.1-or-later
"""SetMirror: write daemon.json, reload the engine, verify, and roll back what it did not take."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd import names, paths
from dockmgrd.enums import Stage
from dockmgrd.errors import ConfigInvalid, InvalidArgs
from dockmgrd.host import atomicfile, dockerd, regular_files
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.configured_mirrors import find_unusable_mirrors
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.jobstore import JobStore
from dockmgrd.host.units import UnitState
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors import change
from dockmgrd.job.mirrors.change import Change
from dockmgrd.job.mirrors.engine_control import (
    EngineControl,
    find_engine_control,
    read_command_line,
    read_facts,
)
from dockmgrd.job.mirrors.reload import LiveChange
from dockmgrd.job.mirrors.verification import verify_mirrors
from dockmgrd.messages import engine as messages
from dockmgrd.messages import steps
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import merge, normalize_known, with_paths
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.mirrors import SetMirrorOptions

_HUB_FOLDERS = ("docker.io", "_default")


async def set_mirror(context: JobContext, options: SetMirrorOptions) -> dict[str, Any]:
    """Change the mirrors of Docker Hub as the options say; see `apply_mirrors`.

    :returns: `diff` as well, when everybody can read the file. A dry run changes nothing, and
        returns what would be done as `actions`, too.

    :raises MirrorUnreachable: when the mirrors are to be verified and one fails.
    """
    context.report(Stage.PREPARING, 0.05)
    _, document = change.read_config()
    change.require_expected(options.expected, document.mirrors, paths.DAEMON_JSON)
    wanted = merge(options.mode, normalize_known(document.mirrors), options.mirrors)
    await verify_mirrors(context, options, wanted)
    plan = await _prepare(context, wanted, options.expected)
    if options.dry_run:
        return _describe_plan(context, plan)
    diff = plan.describe_diff()
    return {**await _apply_plan(context, plan), "diff": diff}


async def apply_mirrors(context: JobContext, mirrors: tuple[str, ...]) -> dict[str, Any]:
    """Set the mirrors in daemon.json and in the running engine, without a restart.

    :returns: `changed`, `mirrors`, and `active`: whether a running engine uses them now.
    :raises ConfigInvalid, ConfigConflict: when the file or the unit does not allow it, or somebody
        edits the file at the same time; nothing was changed.
    :raises InvalidArgs: when the engine does not support mirrors with a path; nothing was changed.
    :raises RolledBack: when the engine did not take them; file and engine are as they were.
    :raises ServiceFailed: when the engine does not answer, or does not take a file that names the
        mirrors already; the file is as it was.
    :raises TransactionFailed: when rpm's database cannot be read; nothing was changed.
    :raises InsufficientSpace, WriteFailed: when the file cannot be written; it is as it was.
    """
    return await _apply_plan(context, await _prepare(context, mirrors))


@dataclass(frozen=True)
class _Plan:
    """A change that the host allows."""

    change: Change
    facts: EngineFacts | None
    """What the running engine said before; None when none runs."""
    control: EngineControl | None
    unit: UnitState
    """The state of docker.service."""

    @property
    def writes(self) -> bool:
        return self.change.is_needed(self.facts.mirrors if self.facts else ())

    def describe_diff(self) -> str:
        """The diff of the file, as far as everybody may see it: "" else."""
        return self.change.diff() if self.writes and change.is_public() else ""

    @property
    def reloads(self) -> bool:
        return self.facts is not None and (self.writes or self.facts.mirrors != self.change.wanted)

    @property
    def changes(self) -> bool:
        return self.writes or self.reloads


async def _apply_plan(context: JobContext, plan: _Plan) -> dict[str, Any]:
    """Do what the plan says; raises as `apply_mirrors`."""
    active = False
    if plan.facts is not None and plan.control is not None:
        with context.hold():
            active = await LiveChange(context, plan.change, plan.facts, plan.control).apply()
    elif plan.writes:
        plan.change.write()
    if not active and plan.change.wanted:
        context.add_note(_describe_inactivity(plan.unit))
    mirrors = list(plan.change.wanted)
    return {
        "changed": plan.changes,
        "registry": DOCKER_HUB,
        "mirrors": mirrors,
        "active": active,
    }


def _describe_inactivity(unit: UnitState) -> Text:
    """Why no engine uses the mirrors yet."""
    if unit.load_state == "not-found":
        return messages.ENGINE_NOT_INSTALLED()
    return messages.ENGINE_NOT_RUNNING()


async def _prepare(
    context: JobContext, wanted: tuple[str, ...], expected: tuple[str, ...] | None = None
) -> _Plan:
    """Check everything that can be checked beforehand; raises as `apply_mirrors`.

    :raises ConfigConflict: also as `change.require_expected`.
    """
    before, document = change.read_config()
    change.require_expected(expected, document.mirrors, paths.DAEMON_JSON)
    unit = await context.systemd.get_state(names.DOCKER_UNIT)
    control = await find_engine_control(context.systemd, unit)
    facts, command_line = await asyncio.gather(
        read_facts(context.engine, control), read_command_line(context.systemd, unit, control)
    )
    plan = _Plan(Change.plan(document, before, wanted), facts, control, unit)
    if plan.changes:
        for problem in find_unusable_mirrors(wanted):
            raise ConfigInvalid(problem)
    if plan.writes:
        atomicfile.check_replaceable(paths.DAEMON_JSON)
    # Another program, such as a script, would start an engine.
    validates = command_line is not None and command_line.starts_dockerd and plan.changes
    version = await _find_version(context, facts) if validates or with_paths(wanted) else None
    _check_paths(context, wanted, version)
    if command_line is not None:
        if wanted or plan.writes:
            command_line.check_mirrors()
        if validates and version is not None and dockerd.supports_validation(version):
            context.report(Stage.CHECKING, 0.2)
            await _validate(context, command_line, plan.change.after)
    if facts is not None and facts.containerd_store:
        _note_hosts_file(context, wanted)
    return plan


async def _find_version(context: JobContext, facts: EngineFacts | None) -> dockerd.Version | None:
    """The version of the running engine, or else of the installed one.

    :raises TransactionFailed: when rpm's database cannot be read.
    """
    if facts is not None:
        return dockerd.parse_version(facts.version)
    installed = await context.packages.require_versions()
    return dockerd.parse_version(installed.get("docker-ce", ""))


def _check_paths(
    context: JobContext, wanted: tuple[str, ...], version: dockerd.Version | None
) -> None:
    """:raises InvalidArgs: when a mirror has a path and the engine would not start with it."""
    mirrors = with_paths(wanted)
    if not mirrors:
        return
    if version is None:
        context.add_note(messages.MIRROR_PATH_MAY_FAIL(mirror=mirrors[0]))
    elif not dockerd.supports_mirror_paths(version):
        text = messages.MIRROR_PATH_UNSUPPORTED(
            mirror=mirrors[0], version=".".join(map(str, version))
        )
        raise InvalidArgs(text.with_remedy(messages.USE_ROOT_OF_MIRROR()))


async def _validate(context: JobContext, command_line: CommandLine, after: bytes) -> None:
    """:raises ConfigInvalid: when the engine's own check says that it would not start.
    :raises InsufficientSpace, WriteFailed: when there is no room for a copy of the file.
    """
    # Below the folder that is deleted at the job's end, whatever kills this process.
    file = JobStore().make_temporary_folder(context.request.job_id) / "daemon.json"
    atomicfile.replace(file, after, mode=0o600, durable=False)
    try:
        reason = await dockerd.validate_config(command_line.words, file, paths.DAEMON_JSON)
    finally:
        atomicfile.remove(file)
    if not reason:
        return
    if change.is_public():
        raise ConfigInvalid(
            messages.DOCKERD_REJECTS_CONFIG(file=str(paths.DAEMON_JSON), reason=reason)
        )
    # dockerd quotes values of the file, which others must not see.
    text = messages.DOCKERD_REJECTS_PRIVATE_CONFIG(file=str(paths.DAEMON_JSON))
    command = f"dockerd --validate --config-file={paths.DAEMON_JSON}"
    raise ConfigInvalid(text.with_remedy(messages.VALIDATE_AS_ROOT(), command))


def _note_hosts_file(context: JobContext, wanted: tuple[str, ...]) -> None:
    """Note when the engine would not use the mirrors: moby's daemon/hosts.go."""
    path = _find_hosts_file()
    if wanted and path is not None:
        note = messages.HOSTS_FILE_WINS(file=str(path))
        context.add_note(note.with_remedy(messages.REMOVE_HOSTS()))


def _find_hosts_file() -> Path | None:
    """The hosts.toml for Docker Hub, when it names a host."""
    for folder in _HUB_FOLDERS:
        path = paths.REGISTRY_CERTIFICATES / folder / "hosts.toml"
        try:
            lines = regular_files.read_text(path).splitlines()
        except OSError:
            continue
        return path if any(line.lstrip().startswith("[host") for line in lines) else None
    return None


def _describe_plan(context: JobContext, plan: _Plan) -> dict[str, Any]:
    """What a dry run returns. Everybody can read results, but perhaps not the file."""
    if not change.is_public():
        context.add_note(messages.DIFF_NOT_SHOWN(file=str(paths.DAEMON_JSON)))
    return {
        "changed": plan.changes,
        "registry": DOCKER_HUB,
        "mirrors": list(plan.change.wanted),
        "active": plan.facts is not None,
        "dry-run": True,
        "diff": plan.describe_diff(),
        "actions": _list_actions(plan),
    }


def _list_actions(plan: _Plan) -> list[dict[str, Any]]:
    """What is done with the engine, as messages."""
    if not plan.reloads or plan.control is None:
        return []
    return [steps.RELOAD_UNIT(unit=plan.control.unit or names.DOCKER_UNIT).to_plain()]
