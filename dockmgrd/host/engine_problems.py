# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with the way in which this host runs dockerd, each problem with its way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import names, paths
from dockmgrd.host import regular_files
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.systemd import (
    SERVICE_INTERFACE,
    SOCKET_INTERFACE,
    UNIT_INTERFACE,
    Systemd,
)
from dockmgrd.host.units import UnitState
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Text

PID_FILE = Path("/run/docker.pid")
_PROGRAM = "dockerd"
_PID_LIMIT = 1 << 22  # PID_MAX_LIMIT of the kernel
_SERVICE_LIMIT, _TRIGGER_LIMIT = "service-start-limit-hit", "trigger-limit-hit"
"""Why a socket gives up: its service hit its start limit, or does not start, and is asked to."""
_EDIT = f"systemctl edit {names.DOCKER_UNIT}"


@dataclass(frozen=True)
class EngineSetup:
    """How the engine is set up beside its configuration file."""

    problems: tuple[Text, ...] = ()
    command_line: CommandLine | None = None
    """How the unit starts dockerd; None when it is not loaded."""
    mirrors: tuple[str, ...] = ()
    """Registry mirrors that flags of the unit name."""
    reads_daemon_json: bool = True
    """Whether daemon.json is the configuration file that dockerd reads."""
    has_local_socket: bool = True
    """Whether the engine listens where it can be asked."""
    unmanaged: bool = False
    """Whether an engine runs that docker.service did not start."""


async def inspect_setup(systemd: Systemd, unit: UnitState) -> EngineSetup:
    """Look at the units of the engine.

    :param unit: the state of docker.service.
    """
    socket = await systemd.get_state(names.DOCKER_SOCKET_UNIT)
    unit_result = await _get_result(systemd, names.DOCKER_UNIT, unit)
    socket_result = await _get_result(systemd, names.DOCKER_SOCKET_UNIT, socket)
    problems = [*_check_unit(unit), *_check_socket(socket, socket_result)]
    command_line = None
    if unit.load_state == "loaded":
        command_line = await CommandLine.read(systemd, unit)
        problems += _check_flags(command_line)
        problems += await _check_service(systemd)
        if unit.active_state == "inactive" and await is_condition_unmet(systemd):
            problems.append(describe_unmet_condition())
    if unit_result == "start-limit-hit" or socket_result == _SERVICE_LIMIT:
        text = messages.START_LIMIT_HIT(unit=names.DOCKER_UNIT)
        command = f"journalctl -u {names.DOCKER_UNIT}"
        problems.append(text.with_remedy(messages.FIX_AND_START(), command))
    unmanaged = False
    if not unit.active and not socket.active and (pid := _read_pid()):
        place, command = await systemd.find_process(pid)
        # The file of an engine that was killed stays, and its number may be another process's.
        unmanaged = _PROGRAM in command.partition(" ")[0].rpartition("/")[2]
        if unmanaged:
            problems.append(_describe_unmanaged(pid, place))
    return EngineSetup(
        problems=tuple(problems),
        command_line=command_line,
        mirrors=command_line.mirrors if command_line else (),
        reads_daemon_json=command_line is None or command_line.config_file == paths.DAEMON_JSON,
        has_local_socket=command_line is None or command_line.has_local_socket,
        unmanaged=unmanaged,
    )


def _check_unit(unit: UnitState) -> Iterator[Text]:
    if unit.load_state == "masked":
        text = messages.UNIT_MASKED(unit=names.DOCKER_UNIT)
        yield text.with_remedy(messages.UNMASK_UNIT(), f"systemctl unmask {names.DOCKER_UNIT}")
    elif unit.load_state in ("bad-setting", "error"):
        text = messages.UNIT_INVALID(unit=names.DOCKER_UNIT)
        command = f"systemd-analyze verify {names.DOCKER_UNIT}"
        yield text.with_remedy(messages.CORRECT_UNIT(), command)


async def is_condition_unmet(systemd: Systemd) -> bool:
    """Whether docker.service was to be started last, and a condition or assertion forbade it."""
    every = await systemd.get_properties(
        *(names.DOCKER_UNIT, UNIT_INTERFACE, "ConditionResult", "ConditionTimestamp"),
        *("AssertResult", "AssertTimestamp"),
    )
    return any(time and not result for result, time in zip(every[::2], every[1::2]))


def describe_unmet_condition() -> Text:
    text = messages.CONDITION_UNMET(unit=names.DOCKER_UNIT)
    return text.with_remedy(
        messages.LOOK_AT_ENGINE_STATUS(), f"systemctl status {names.DOCKER_UNIT}"
    )


def _check_socket(socket: UnitState, result: str) -> Iterator[Text]:
    unit = names.DOCKER_SOCKET_UNIT
    if socket.load_state == "masked":
        text = messages.UNIT_MASKED(unit=unit)
        yield text.with_remedy(messages.UNMASK_UNIT(), f"systemctl unmask {unit}")
    elif result == _TRIGGER_LIMIT:
        text = messages.SOCKET_STOPPED(unit=unit, service=names.DOCKER_UNIT)
        command = f"journalctl -u {names.DOCKER_UNIT}"
        yield text.with_remedy(messages.LOOK_AT_ENGINE_LOG(), command)
    elif result not in ("", _SERVICE_LIMIT):
        text = messages.SOCKET_FAILED(unit=unit)
        yield text.with_remedy(messages.LOOK_AT_UNIT_LOG(unit=unit), f"journalctl -u {unit}")


def _check_flags(command_line: CommandLine) -> Iterator[Text]:
    if command_line.config_file != paths.DAEMON_JSON:
        text = messages.OTHER_CONFIG_FILE(
            file=str(command_line.config_file),
            ours=str(paths.DAEMON_JSON),
            flag="--config-file",
            place=command_line.find_place("--config-file"),
        )
        yield text.with_remedy(messages.USE_ONE_CONFIG_FILE(), _EDIT)
    if not command_line.has_local_socket:
        yield describe_missing_socket(command_line.hosts)


def describe_missing_socket(hosts: Sequence[str]) -> Text:
    """That an engine listens only where this host does not look for it."""
    text = messages.NO_LOCAL_SOCKET(hosts=list(hosts))
    return text.with_remedy(messages.ADD_LOCAL_SOCKET(), _EDIT)


async def _check_service(systemd: Systemd) -> list[Text]:
    problems = []
    if not await systemd.can_reload(names.DOCKER_UNIT):
        text = messages.NO_EXEC_RELOAD(unit=names.DOCKER_UNIT)
        problems.append(text.with_remedy(messages.ADD_EXEC_RELOAD(), _EDIT))
    return problems


def _describe_unmanaged(pid: int, place: str) -> Text:
    text = messages.ENGINE_UNMANAGED(unit=names.DOCKER_UNIT, place=place, pid=pid)
    return text.with_remedy(messages.STOP_AND_START_UNIT(), f"systemctl status {place}")


def _read_pid() -> int:
    """The process in dockerd's pid file; 0 when there is none."""
    try:
        pid = int(regular_files.read_bytes(PID_FILE))
    except (OSError, ValueError):
        return 0
    return pid if 0 < pid < _PID_LIMIT else 0


async def _get_result(systemd: Systemd, unit: str, state: UnitState) -> str:
    """Why the service or socket failed: exit-code, start-limit-hit and others; "" if it has not.

    A service keeps the result of its last run.
    """
    if state.active_state != "failed":
        return ""
    interface = SOCKET_INTERFACE if unit.endswith(".socket") else SERVICE_INTERFACE
    [result] = await systemd.get_properties(unit, interface, "Result")
    return str(result)
