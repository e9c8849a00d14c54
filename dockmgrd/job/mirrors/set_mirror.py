# SPDX-License-Identifier: LGPL-2.1-or-later
"""SetMirror: write daemon.json, have the engine reload, verify, and undo what it did not take."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd import names, paths
from dockmgrd.errors import ConfigInvalid, InvalidArgs
from dockmgrd.host import quirks
from dockmgrd.host.engine import EngineFacts
from dockmgrd.host.flags import CommandLine
from dockmgrd.host.systemd import UnitState
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors import change
from dockmgrd.job.mirrors.change import Change
from dockmgrd.job.mirrors.reload import LiveChange
from dockmgrd.mirror_urls import as_known, merged, with_path
from dockmgrd.model import Stage
from dockmgrd.options import SetMirrorOptions

_HUB_FOLDERS = ("docker.io", "_default")


async def set_mirror(context: JobContext, options: SetMirrorOptions) -> dict[str, Any]:
    """Do what the options say; see `apply_mirrors`.

    A dry run changes nothing, and returns `diff` and `actions` beside what would be.

    :raises MirrorUnreachable: when the mirrors were to be verified, and one fails.
    """
    context.report(Stage.PREPARING, 0.05)
    _, document = change.read()
    wanted = merged(options.mode, as_known(document.mirrors), options.mirrors)
    if options.verify:
        from dockmgrd.job.probe.probe import verify

        await verify(context, tuple(url for url in options.mirrors if url in wanted))
    if options.dry_run:
        return _told(context, await _prepare(context, wanted))
    return await apply_mirrors(context, wanted)


async def apply_mirrors(context: JobContext, mirrors: tuple[str, ...]) -> dict[str, Any]:
    """Bring daemon.json and the running engine to these mirrors, without a restart.

    :returns: `changed`, `mirrors`, and `active`: whether a running engine uses them now.
    :raises ConfigInvalid, ConfigConflict: when the file or the unit does not allow it; nothing
        was changed.
    :raises InvalidArgs: when the engine takes no mirrors with a path; nothing was changed.
    :raises RolledBack: when the engine did not take them; file and engine are as they were.
    :raises InsufficientSpace, WriteFailed: when the file cannot be written; it is as it was.
    """
    plan = await _prepare(context, mirrors)
    active = plan.facts is not None
    if plan.facts is not None:
        with context.held():
            active = await LiveChange(context, plan.change, plan.facts).apply()
    elif plan.writes:
        plan.change.write()
    if not active:
        context.add_note("The engine is not running; the mirrors take effect when it starts.")
    return {"changed": plan.writes or plan.reloads, "mirrors": list(mirrors), "active": active}


@dataclass(frozen=True)
class _Plan:
    """A change that the host allows; `facts` is what a running engine said before."""

    change: Change
    facts: EngineFacts | None

    @property
    def writes(self) -> bool:
        return self.change.needed(self.facts.mirrors if self.facts else ())

    @property
    def reloads(self) -> bool:
        return self.facts is not None and (self.writes or self.facts.mirrors != self.change.wanted)


async def _prepare(context: JobContext, wanted: tuple[str, ...]) -> _Plan:
    """Check all that can be checked beforehand; raises as `apply_mirrors`."""
    before, document = change.read()
    unit = await context.systemd.state(names.DOCKER_UNIT)
    facts, command_line = await asyncio.gather(_facts(context, unit), _command_line(context, unit))
    plan = _Plan(Change.planned(document, before, wanted), facts)
    version = _version(facts)
    _check_paths(context, wanted, version)
    if command_line is not None:
        if wanted or plan.writes:
            command_line.check_mirrors()
        if plan.writes and version is not None and quirks.has_validate(version):
            context.report(Stage.CHECKING, 0.2)
            await _validate(command_line, plan.change.after)
    if facts is not None and facts.containerd_store:
        _tell_of_overrides(context, wanted)
    return plan


async def _facts(context: JobContext, unit: UnitState) -> EngineFacts | None:
    return await context.engine.facts() if unit.active else None


async def _command_line(context: JobContext, unit: UnitState) -> CommandLine | None:
    if unit.load_state != "loaded":
        return None
    return await CommandLine.read(context.systemd, unit)


def _version(facts: EngineFacts | None) -> quirks.Version | None:
    """The version of the running engine, or else of the installed one."""
    if facts is not None:
        return quirks.numbers(facts.version)
    from dockmgrd.host.rpmdb import installed_versions

    return quirks.numbers(installed_versions().get("docker-ce", ""))


def _check_paths(
    context: JobContext, wanted: tuple[str, ...], version: quirks.Version | None
) -> None:
    """:raises InvalidArgs: when a mirror has a path and the engine would not start with it."""
    mirrors = with_path(wanted)
    if not mirrors:
        return
    if version is None:
        context.add_note(
            f"Docker 24.0.7 and older do not start with a mirror that has a path ({mirrors[0]})."
        )
    elif not quirks.takes_path(version):
        raise InvalidArgs(
            f"Mirror {mirrors[0]} has a path, with which Docker {'.'.join(map(str, version))} "
            "would not start; give the root of a mirror, or upgrade to 24.0.8 or newer."
        )


async def _validate(command_line: CommandLine, after: bytes) -> None:
    """:raises ConfigInvalid: when the engine's own check says that it would not start."""
    from dockmgrd.host.validate import validate

    complaint = await validate(command_line.words, after)
    if complaint:
        raise ConfigInvalid(
            f"dockerd would not accept {paths.DAEMON_JSON} with these mirrors: {complaint}; "
            "the file is as it was."
        )


def _tell_of_overrides(context: JobContext, wanted: tuple[str, ...]) -> None:
    """Say when the engine would not look at the mirrors: moby's daemon/hosts.go."""
    path = _hosts_toml()
    if wanted and path is not None:
        context.add_note(
            f"{path} names hosts for Docker Hub, and the containerd image store takes those in "
            "place of registry-mirrors; remove them there for the mirrors to be used."
        )


def _hosts_toml() -> Path | None:
    """The file that says where Docker Hub's images are, when it names a host."""
    for folder in _HUB_FOLDERS:
        path = paths.REGISTRY_CERTIFICATES / folder / "hosts.toml"
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        return path if any(line.lstrip().startswith("[host") for line in lines) else None
    return None


def _told(context: JobContext, plan: _Plan) -> dict[str, Any]:
    """What a dry run returns. Results are for everybody to read, the file may not be."""
    shown = change.readable_for_all()
    if not shown:
        context.add_note(
            f"{paths.DAEMON_JSON} is not readable for everybody, so the change of it is not shown."
        )
    return {
        "changed": plan.writes or plan.reloads,
        "mirrors": list(plan.change.wanted),
        "active": plan.facts is not None,
        "dry-run": True,
        "diff": plan.change.diff() if plan.writes and shown else "",
        "actions": [f"reload {names.DOCKER_UNIT}"] if plan.reloads else [],
    }
