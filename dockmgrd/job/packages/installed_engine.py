# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine that Uninstall takes off the host: its units, containers, and where its data is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dockmgrd import names, paths
from dockmgrd.errors import ConfigInvalid, DockmgrError, ServiceFailed
from dockmgrd.host import daemonjson
from dockmgrd.host.rpmdb import CONTAINERD, installed_versions
from dockmgrd.job.context import JobContext
from dockmgrd.messages import packages as messages
from dockmgrd.messages import steps
from dockmgrd.messages.text import Text
from dockmgrd.model import Stage

_DOCKER_UNITS = (names.DOCKER_SOCKET_UNIT, names.DOCKER_UNIT)  # the socket would start the service


class InstalledEngine:
    """The units of the packages that go, and the engine in them."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._stopped: list[str] = []
        # Another package's containerd, such as a Kubernetes node's, is none of ours.
        ours = CONTAINERD in installed_versions()
        self.units = (*_DOCKER_UNITS, *([names.CONTAINERD_UNIT] if ours else []))

    async def containers(self, *, may_fail: bool) -> tuple[str, ...]:
        """Names of the containers that run.

        :raises ServiceFailed: when nobody can say, unless that `may_fail`.
        """
        if not await self._is_active(names.DOCKER_UNIT):
            return ()
        try:
            containers = await self._context.engine.containers()
        except ServiceFailed:  # an engine that hangs can be uninstalled, too
            if not may_fail:
                raise
            return ()
        return tuple(str(each["Names"][0]).lstrip("/") for each in containers)

    async def volumes(self) -> tuple[str, ...]:
        """Names of the volumes of the running engine."""
        if not await self._is_active(names.DOCKER_UNIT):
            return ()
        return await self._context.engine.volumes()

    async def actions(self) -> list[Text]:
        """What is done with units when their packages go."""
        states = [(unit, await self._context.systemd.get_state(unit)) for unit in self.units]
        return [
            *(steps.STOP_UNIT(unit=unit) for unit, state in states if state.active),
            *(
                steps.DISABLE_UNIT(unit=unit)
                for unit, state in states
                if state.unit_file_state == "enabled"
            ),
        ]

    async def data_roots(self) -> tuple[Path, ...]:
        """Where the engine keeps its data, as it says itself and as daemon.json says.

        :raises ConfigInvalid: when daemon.json cannot be read; then nobody knows for sure.
        """
        roots = []
        if await self._is_active(names.DOCKER_UNIT):
            roots.append((await self._context.engine.info())["DockerRootDir"])
        try:
            content = paths.DAEMON_JSON.read_bytes()
        except FileNotFoundError:
            content = b""
        configured = daemonjson.parse(content, str(paths.DAEMON_JSON)).values
        for key in ("data-root", "graph"):  # "graph" is the name until 17.05
            root = configured.get(key, "")
            if not isinstance(root, str):
                text = messages.DATA_ROOT_NOT_A_PATH(key=key, path=str(paths.DAEMON_JSON))
                raise ConfigInvalid(text.with_remedy(messages.CORRECT_FILE()))
            roots.append(root)
        return tuple(Path(root) for root in roots if root)

    async def stop(self, fraction: float) -> None:
        """Stop the units, and the containers that would outlive them.

        :param fraction: how far the job is with that.
        :raises ServiceFailed: when one does not stop.
        """
        self._context.report(Stage.STOPPING, fraction, names.DOCKER_UNIT)
        await self._stop_surviving_containers()
        for unit in self.units:
            if await self._is_active(unit):
                self._stopped.append(unit)
            await self._context.systemd.stop(unit)

    async def start_again(self) -> None:
        """Start what was stopped, when the packages could not be removed."""
        for unit in self._stopped:
            try:
                await self._context.systemd.start(unit)
            except DockmgrError as error:
                self._context.add_note(error.text)

    async def _stop_surviving_containers(self) -> None:
        """With live-restore, containers go on when the engine stops."""
        if not await self._is_active(names.DOCKER_UNIT):
            return
        engine = self._context.engine
        try:
            if (await engine.info()).get("LiveRestoreEnabled"):
                running = await engine.containers()
                await asyncio.gather(*(engine.stop_container(each["Id"]) for each in running))
        except ServiceFailed as error:  # an engine that hangs can be uninstalled, too
            self._context.add_note(error.text)

    async def _is_active(self, unit: str) -> bool:
        return (await self._context.systemd.get_state(unit)).active
