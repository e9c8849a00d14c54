# SPDX-License-Identifier: LGPL-2.1-or-later
"""SetMirror: write daemon.json, have the engine reload, verify, and undo what it did not take."""

from __future__ import annotations

import asyncio
from typing import Any

from dockmgrd import atomicfile, daemonjson, names, paths
from dockmgrd.errors import ConfigConflict, ConfigInvalid, RolledBack, ServiceFailed
from dockmgrd.job.context import JobContext
from dockmgrd.job.validate import validate
from dockmgrd.model import Stage
from dockmgrd.options import SetMirrorOptions

BACKUP_SUFFIX = ".dockmgrd-backup"
_SECONDS_TO_RELOAD = 15.0


async def set_mirror(context: JobContext, options: SetMirrorOptions) -> dict[str, Any]:
    """Make these the registry mirrors; see `apply_mirrors`."""
    return await apply_mirrors(context, options.mirrors)


async def apply_mirrors(context: JobContext, mirrors: tuple[str, ...]) -> dict[str, Any]:
    """Bring daemon.json and the running engine to these mirrors, without a restart.

    :returns: `changed`, `mirrors`, and `active`: whether a running engine uses them now.
    :raises ConfigInvalid, ConfigConflict: when the file or the unit does not allow it; nothing
        was changed.
    :raises RolledBack: when the engine did not take them; the file is as it was.
    :raises InsufficientSpace, WriteFailed: when the file cannot be written; it is as it was.
    """
    context.report(Stage.PREPARING, 0.05)
    unit = await context.systemd.state(names.DOCKER_UNIT)
    before = _read()
    document = daemonjson.parse(before or b"", str(paths.DAEMON_JSON))
    after = daemonjson.with_mirrors(document, mirrors)
    changed = after != before and not (before is None and not mirrors)
    if unit.load_state == "loaded":
        await _check_unit(context)
    if changed:
        context.report(Stage.CHECKING, 0.2)
        await _validate(context, after, installed=unit.load_state == "loaded")
    if not unit.active:
        if changed:
            _write(before, after)
        context.notes.append("The engine is not running; the mirrors take effect when it starts.")
        return {"changed": changed, "mirrors": list(mirrors), "active": False}
    with context.held():
        reloaded = await _change_live(context, before, after if changed else None, mirrors)
    return {"changed": changed or reloaded, "mirrors": list(mirrors), "active": True}


async def _change_live(
    context: JobContext, before: bytes | None, after: bytes | None, mirrors: tuple[str, ...]
) -> bool:
    """Write, reload, verify; undo what the running engine does not take.

    :param after: the new content, None to leave the file.
    :returns: whether the engine uses other mirrors than before.
    """
    if after is None and await context.engine.mirrors() == mirrors:
        return False
    if after is not None:
        context.report(Stage.CONFIGURING, 0.4)
        _write(before, after)
    context.report(Stage.VERIFYING, 0.6, "reloading the engine")
    try:
        active = await _reload(context)
    except ServiceFailed:
        if after is not None:
            _restore(before)
        raise
    if active == mirrors:
        return True
    if after is not None:
        _restore(before)
        await _reload(context)
    raise RolledBack(
        f"The engine uses the mirrors {', '.join(active) or 'none'} after the reload and not "
        f"{', '.join(mirrors) or 'none'}, so daemon.json is as it was; "
        "'journalctl -u docker' tells what it refused."
    )


async def _reload(context: JobContext) -> tuple[str, ...]:
    """Have the engine reload, and return the mirrors that it uses then.

    A reload that fails shows only by its event not coming, so that wait is bounded.
    """
    async with context.engine.reload_events() as events:
        await context.systemd.reload(names.DOCKER_UNIT)
        try:
            await asyncio.wait_for(events.readline(), _SECONDS_TO_RELOAD)
        except asyncio.TimeoutError:
            context.notes.append("The engine did not say that it has reloaded.")
    return await context.engine.mirrors()


async def _check_unit(context: JobContext) -> None:
    """:raises ConfigConflict: when the unit names mirrors; dockerd refuses them in two places."""
    arguments = await context.systemd.command_line(names.DOCKER_UNIT)
    if any(argument.split("=")[0] == "--registry-mirror" for argument in arguments):
        unit = await context.systemd.state(names.DOCKER_UNIT)
        files = ", ".join((*unit.drop_ins, unit.fragment_path))
        raise ConfigConflict(
            f"docker.service passes --registry-mirror to dockerd ({files}), and dockerd would not "
            "start with mirrors in daemon.json too; take the option out of the unit first."
        )


async def _validate(context: JobContext, after: bytes, *, installed: bool) -> None:
    """:raises ConfigInvalid: when the engine's own check says that it would not start."""
    if not installed:
        return
    arguments = await context.systemd.command_line(names.DOCKER_UNIT)
    complaint = await validate(arguments, after)
    if complaint:
        raise ConfigInvalid(
            f"dockerd would not accept {paths.DAEMON_JSON} with these mirrors: {complaint}; "
            "the file is as it was."
        )


def _read() -> bytes | None:
    try:
        return paths.DAEMON_JSON.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigInvalid(
            f"{paths.DAEMON_JSON} cannot be read: {error.strerror}; make it readable for root."
        ) from error


def _write(before: bytes | None, after: bytes) -> None:
    """Write daemon.json, and keep what was there before beside it."""
    if before is not None:
        backup = paths.DAEMON_JSON.with_name(paths.DAEMON_JSON.name + BACKUP_SUFFIX)
        mode = paths.DAEMON_JSON.stat().st_mode & 0o777
        atomicfile.replace(backup, before, mode=mode)
    atomicfile.replace(paths.DAEMON_JSON, after)


def _restore(before: bytes | None) -> None:
    if before is None:
        atomicfile.remove(paths.DAEMON_JSON)
    else:
        atomicfile.replace(paths.DAEMON_JSON, before)
