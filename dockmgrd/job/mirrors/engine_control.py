# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reload the engine of this host, whether or not its unit started it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace

from dockmgrd import names
from dockmgrd.errors import ServiceFailed
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.engine import Engine
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.processes import HostProcess
from dockmgrd.host.running_engine import (
    check_local_socket,
    find_engine_of,
    find_unmanaged_engine,
)
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import ENDED, UnitState
from dockmgrd.messages import engine as messages


@dataclass(frozen=True)
class EngineControl:
    """How to reload a running engine: by its unit, or by a signal to its process."""

    systemd: Systemd
    unit: str
    """The unit that reloads it; "" when it runs in no unit that can."""
    process: HostProcess | None = None
    """The engine, when docker.service does not run it."""

    async def reload(self) -> None:
        """Have the engine read its configuration again.

        :raises ServiceFailed: when systemd or the kernel refuses.
        """
        if self.unit and await self.systemd.can_reload(self.unit):
            await self.systemd.reload(self.unit)
        elif self.process is None:
            # A unit without ExecReload, or one that is not valid any more. dockerd itself reloads
            # at SIGHUP (moby's daemon_unix.go).
            await self.systemd.signal_main(self.unit, signal.SIGHUP)
        else:
            self._send_signal(self.process)

    async def is_stopped(self) -> bool:
        """Whether the engine has been stopped or is being stopped."""
        if self.process is not None:
            return not os.path.exists(f"/proc/{self.process.pid}")
        state = await self.systemd.get_state(self.unit)
        return state.active_state in (*ENDED, "deactivating")

    def _send_signal(self, process: HostProcess) -> None:
        try:
            os.kill(process.pid, signal.SIGHUP)
        except OSError as error:
            text = messages.ENGINE_CANNOT_RELOAD(
                pid=process.pid, reason=error.strerror or str(error)
            )
            raise ServiceFailed(text.with_remedy(messages.RESTART_ENGINE_YOURSELF())) from error


async def find_engine_control(systemd: Systemd, unit: UnitState) -> EngineControl | None:
    """How to reload the engine of this host; None when none runs.

    :param unit: the state of docker.service.
    """
    if unit.active:
        return EngineControl(systemd, names.DOCKER_UNIT)
    process = find_unmanaged_engine(names.DOCKER_UNIT)
    return EngineControl(systemd, process.unit, process) if process else None


async def read_command_line(
    systemd: Systemd, unit: UnitState, control: EngineControl | None
) -> CommandLine | None:
    """How dockerd was started, or will be; None when no unit says it and none runs."""
    if control is not None and control.process is not None:
        return CommandLine(control.process.words, (), (), {})
    if unit.load_state != "loaded":
        return None
    command_line = await CommandLine.read(systemd, unit)
    if unit.active and not command_line.starts_dockerd:
        engine = find_engine_of(names.DOCKER_UNIT)
        return replace(command_line, words=engine.words) if engine else command_line
    return command_line


async def read_facts(engine: Engine, control: EngineControl | None) -> EngineFacts | None:
    """What the running engine says; None when none runs.

    :raises ServiceFailed: when an engine runs that does not answer.
    """
    if control is None:
        return None
    if control.process is None:
        check_local_socket(names.DOCKER_UNIT)
    try:
        return await engine.facts()
    except ServiceFailed as error:
        if control.process is None:
            raise
        text = messages.ENGINE_CANNOT_RELOAD(pid=control.process.pid, reason=error.text)
        raise ServiceFailed(text.with_remedy(messages.RESTART_ENGINE_YOURSELF())) from error
