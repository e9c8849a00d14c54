# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine that Uninstall takes off the host: its units, containers, and where its data is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dockmgrd import names, paths
from dockmgrd.enums import Stage
from dockmgrd.errors import ConfigInvalid, DockmgrError, ServiceFailed
from dockmgrd.host import atomicfile, daemonjson
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.container_processes import (
    end_container_processes,
    find_container_processes,
)
from dockmgrd.host.engine import Engine
from dockmgrd.host.engine_answers import Container
from dockmgrd.host.processes import HostProcess
from dockmgrd.host.rpmdb import CONTAINERD, LEGACY_PACKAGES
from dockmgrd.host.running_engine import (
    check_local_socket,
    find_unmanaged_engine,
)
from dockmgrd.job.context import JobContext
from dockmgrd.messages import packages as messages
from dockmgrd.messages import steps
from dockmgrd.messages.text import Text
from dockmgrd.worker.protocol import Change

_UNITS = {
    # The socket would start the service.
    **dict.fromkeys(("docker-ce", *LEGACY_PACKAGES), (names.DOCKER_SOCKET_UNIT, names.DOCKER_UNIT)),
    CONTAINERD: (names.CONTAINERD_UNIT,),
}
"""The units that go with each package. Those of other packages, such as moby-engine, stay."""
_ROOT_KEYS = ("data-root", "graph")  # The second is the name until 17.05.
_HOST_FLAGS = ("-H", "--host")
_UNIX = "unix://"


class InstalledEngine:
    """The units of the packages that go, and the engines of the host."""

    def __init__(self, context: JobContext, installed: Mapping[str, str]) -> None:
        """:param installed: what `InstalledPackages.require_versions` returns."""
        self._context = context
        self._stopped: list[str] = []
        self.has_our_containerd = CONTAINERD in installed
        self.unmanaged = find_unmanaged_engine(names.DOCKER_UNIT)
        """An engine that docker.service has not started."""

    async def list_containers(self, *, may_fail: bool) -> tuple[str, ...]:
        """Names of the containers that run, and the start of the id for those without an engine.

        :raises ServiceFailed: when an engine does not say it, unless that `may_fail`.
        """
        found: list[Container] = []
        try:
            for engine in await self._engines():
                found += await engine.containers()
            has_engine = await self.is_active()
        except ServiceFailed:  # an engine that hangs can be uninstalled, too
            if not may_fail:
                raise
            has_engine = False
        known = {each.id for each in found}
        survivors = [] if has_engine else find_container_processes()
        return (
            *(each.name for each in found),
            *(each.name for each in survivors if each.id not in known),
        )

    async def is_active(self) -> bool:
        """Whether docker.service runs."""
        return await self._is_active(names.DOCKER_UNIT)

    async def make_actions(self, units: Iterable[str]) -> list[Text]:
        """What is done with the units when their packages go."""
        states = [(unit, await self._context.systemd.get_state(unit)) for unit in units]
        return [
            *(steps.STOP_UNIT(unit=unit) for unit, state in states if state.active),
            *(
                steps.DISABLE_UNIT(unit=unit)
                for unit, state in states
                if state.unit_file_state == "enabled"
            ),
        ]

    async def find_data_roots(self) -> tuple[Path, ...]:
        """Where the engine keeps its data: as it says itself, by its flags and its configuration.

        :raises ConfigInvalid: when the configuration cannot be read; then nobody knows for sure.
        """
        roots: list[Path] = []
        unit = await self._context.systemd.get_state(names.DOCKER_UNIT)
        if unit.active:
            try:
                check_local_socket(names.DOCKER_UNIT)
                facts = await self._context.engine.facts()
                roots += [Path(facts.data_root)] if facts.data_root else []
            except ServiceFailed as error:  # an engine that hangs can be uninstalled, too
                self._context.add_note(error.text)
        configuration = paths.DAEMON_JSON
        if unit.load_state == "loaded":
            command_line = await CommandLine.read(self._context.systemd, unit)
            roots += command_line.data_roots
            configuration = command_line.config_file
            if not command_line.starts_dockerd and not unit.active:
                self._context.add_note(_describe_wrapper(command_line))
        return tuple(dict.fromkeys([*roots, *_read_configured_roots(configuration)]))

    async def stop(self, units: Sequence[str], fraction: float) -> None:
        """Stop the units, and the containers that would outlive them.

        :param units: see `list_units`.
        :param fraction: how far the job is with that.
        :raises ServiceFailed: when one does not stop.
        """
        self._context.report(Stage.STOPPING, fraction, names.DOCKER_UNIT)
        if names.DOCKER_UNIT in units:
            await self._stop_surviving_containers()
        for unit in units:
            if await self._is_active(unit):
                self._stopped.append(unit)
            await self._context.systemd.stop(unit)

    async def end_surviving_containers(self) -> None:
        """End the containers that no engine has stopped, when the engine is gone."""
        if self.unmanaged is None:
            await end_container_processes(find_container_processes())

    async def start_again(self) -> None:
        """Start what was stopped, when the packages could not be removed."""
        for unit in self._stopped:
            try:
                await self._context.systemd.start(unit)
            except DockmgrError as error:
                self._context.add_note(error.text)

    async def _stop_surviving_containers(self) -> None:
        """With live-restore, containers keep running when the engine stops."""
        if not await self.is_active():
            return
        engine = self._context.engine
        try:
            check_local_socket(names.DOCKER_UNIT)
            if (await engine.facts()).live_restore:
                running = await engine.containers()
                await asyncio.gather(*(engine.stop_container(each.id) for each in running))
        except ServiceFailed as error:  # an engine that hangs can be uninstalled, too
            self._context.add_note(error.text)

    async def _engines(self) -> list[Engine]:
        """The engines to ask. A socket of systemd's is left alone: connecting starts an engine."""
        engines = []
        if await self.is_active():
            check_local_socket(names.DOCKER_UNIT)
            engines.append(self._context.engine)
        if self.unmanaged is not None:
            socket = _find_socket(self.unmanaged)
            if socket != paths.DOCKER_SOCKET or not await self._is_active(names.DOCKER_SOCKET_UNIT):
                engines.append(Engine(socket))
        return engines

    async def _is_active(self, unit: str) -> bool:
        return (await self._context.systemd.get_state(unit)).active


def make_unmanaged_error(engine: HostProcess | None) -> ServiceFailed | None:
    """The error when an engine that docker.service has not started is in the way; None for None."""
    if engine is None:
        return None
    text = messages.ENGINE_UNMANAGED(unit=names.DOCKER_UNIT, program=engine.program, pid=engine.pid)
    command = f"systemctl stop {engine.unit}" if engine.unit else f"kill {engine.pid}"
    return ServiceFailed(text.with_remedy(messages.STOP_ENGINE_FIRST(), command))


def list_units(changes: Iterable[Change]) -> tuple[str, ...]:
    """The units whose packages are removed, in the order in which to stop them."""
    removed = {get_package_name(each) for each in changes if each.action == "remove"}
    units = (unit for package, group in _UNITS.items() if package in removed for unit in group)
    return tuple(dict.fromkeys(units))


def get_package_name(change: Change) -> str:
    """The name in the NEVRA of a change."""
    return change.package.rsplit("-", 2)[0]


def _describe_wrapper(command_line: CommandLine) -> Text:
    program = command_line.words[0] if command_line.words else ""
    return messages.DATA_ROOT_UNKNOWN(unit=names.DOCKER_UNIT, program=program)


def _find_socket(engine: HostProcess) -> Path:
    """Where an engine listens, by its flags."""
    command_line = CommandLine(engine.words, (), (), {})
    for flag in _HOST_FLAGS:
        for value in command_line.get_values(flag):
            if value.startswith(_UNIX):
                return Path(value[len(_UNIX) :])
    return paths.DOCKER_SOCKET


def _read_configured_roots(configuration: Path) -> list[Path]:
    """:raises ConfigInvalid: when the file cannot be read, or names something else than a path."""
    content = atomicfile.read(configuration) or b""
    values = daemonjson.parse(content, str(configuration)).values
    roots = []
    for key in _ROOT_KEYS:
        root = values.get(key, "")
        if not isinstance(root, str):
            text = messages.DATA_ROOT_NOT_A_PATH(key=key, path=str(configuration))
            raise ConfigInvalid(text.with_remedy(messages.CORRECT_FILE()))
        roots += [Path(root)] if root else []
    return roots
