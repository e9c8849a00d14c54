# SPDX-License-Identifier: LGPL-2.1-or-later
"""SetMirror: write daemon.json, have the engine reload, verify, and undo what it did not take."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from dockmgrd import atomicfile, daemonjson, names, paths
from dockmgrd.errors import ConfigConflict, ConfigInvalid, RolledBack, ServiceFailed
from dockmgrd.job.context import JobContext
from dockmgrd.job.validate import validate
from dockmgrd.model import Stage
from dockmgrd.options import SetMirrorOptions

BACKUP_SUFFIX = ".dockmgrd-backup"
_SECONDS_TO_RELOAD = 15.0
_SECONDS_TO_TAKE_EFFECT = 1.0


async def set_mirror(context: JobContext, options: SetMirrorOptions) -> dict[str, Any]:
    """Make these the registry mirrors; see `apply_mirrors`."""
    return await apply_mirrors(context, options.mirrors)


async def apply_mirrors(context: JobContext, mirrors: tuple[str, ...]) -> dict[str, Any]:
    """Bring daemon.json and the running engine to these mirrors, without a restart.

    :returns: `changed`, `mirrors`, and `active`: whether a running engine uses them now.
    :raises ConfigInvalid, ConfigConflict: when the file or the unit does not allow it; nothing
        was changed.
    :raises RolledBack: when the engine did not take them; file and engine are as they were.
    :raises InsufficientSpace, WriteFailed: when the file cannot be written; it is as it was.
    """
    context.report(Stage.PREPARING, 0.05)
    unit = await context.systemd.state(names.DOCKER_UNIT)
    in_use = await context.engine.mirrors() if unit.active else ()
    change = _Change.planned(_read(), mirrors, in_use)
    if unit.load_state == "loaded":
        await _check_unit(context)
        if change.needed:
            context.report(Stage.CHECKING, 0.2)
            await _validate(context, change.after)
    if unit.active:
        with context.held():
            await _change_live(context, change)
    else:
        if change.needed:
            change.write()
        context.notes.append("The engine is not running; the mirrors take effect when it starts.")
    changed = change.needed or (unit.active and in_use != mirrors)
    return {"changed": changed, "mirrors": list(mirrors), "active": unit.active}


@dataclass(frozen=True)
class _Change:
    """daemon.json before and after, and the mirrors of the engine before and after."""

    document: daemonjson.Document
    before: bytes | None
    after: bytes
    in_use: tuple[str, ...]
    wanted: tuple[str, ...]

    @classmethod
    def planned(
        cls, before: bytes | None, wanted: tuple[str, ...], in_use: tuple[str, ...]
    ) -> _Change:
        """:raises ConfigInvalid: when the file cannot be changed safely."""
        document = daemonjson.parse(before or b"", str(paths.DAEMON_JSON))
        return cls(document, before, daemonjson.with_mirrors(document, wanted), in_use, wanted)

    @property
    def needed(self) -> bool:
        """Whether the file has to change; no file is as good as one that names no mirrors."""
        nothing_to_clear = self.before is None and not self.wanted and not self.in_use
        return self.after != self.before and not nothing_to_clear

    def write(self) -> None:
        """Write the new file, and keep what was there before beside it."""
        if self.before is not None:
            backup = paths.DAEMON_JSON.with_name(paths.DAEMON_JSON.name + BACKUP_SUFFIX)
            mode = paths.DAEMON_JSON.stat().st_mode & 0o777
            atomicfile.replace(backup, self.before, mode=mode)
        atomicfile.replace(paths.DAEMON_JSON, self.after)

    def write_former(self) -> None:
        """Write the former file with the mirrors that the engine used, whatever it said itself.

        An engine that reloads a file without the key keeps the mirrors that it has.
        """
        atomicfile.replace(paths.DAEMON_JSON, daemonjson.with_mirrors(self.document, self.in_use))

    def restore(self) -> None:
        """Put the former file back to the byte."""
        if self.before is None:
            atomicfile.remove(paths.DAEMON_JSON)
        else:
            atomicfile.replace(paths.DAEMON_JSON, self.before)


async def _change_live(context: JobContext, change: _Change) -> None:
    """Write, reload, verify; undo what the running engine does not take."""
    if change.needed:
        context.report(Stage.CONFIGURING, 0.4)
        change.write()
    elif change.in_use == change.wanted:
        return
    context.report(Stage.VERIFYING, 0.6, "reloading the engine")
    try:
        active = await _reload(context, change.wanted)
    except ServiceFailed:
        if change.needed:
            change.restore()
        raise
    if active == change.wanted:
        return
    if change.needed:
        change.write_former()
        await _reload(context, change.in_use)
        change.restore()
    raise RolledBack(
        f"The engine uses the mirrors {', '.join(active) or 'none'} after the reload and not "
        f"{', '.join(change.wanted) or 'none'}, so daemon.json is as it was; "
        "'journalctl -u docker' tells what it refused."
    )


async def _reload(context: JobContext, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Have the engine reload, and return the mirrors that it uses then.

    A reload that fails shows only by its event not coming, so that wait is bounded. The event
    comes a moment before the mirrors are in force, and nothing announces that they are: other
    ones than wanted are asked for again for a second.
    """
    async with context.engine.reload_events() as events:
        await context.systemd.reload(names.DOCKER_UNIT)
        try:
            await asyncio.wait_for(events.readline(), _SECONDS_TO_RELOAD)
        except asyncio.TimeoutError:
            context.notes.append("The engine did not say that it has reloaded.")
    active = await context.engine.mirrors()
    deadline = time.monotonic() + _SECONDS_TO_TAKE_EFFECT
    while active != wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
        active = await context.engine.mirrors()
    return active


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


async def _validate(context: JobContext, after: bytes) -> None:
    """:raises ConfigInvalid: when the engine's own check says that it would not start."""
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
