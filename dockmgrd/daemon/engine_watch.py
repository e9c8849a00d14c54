# SPDX-License-Identifier: LGPL-2.1-or-later
"""The live facts of the engine, asked for again when systemd or the engine announce a change.

An engine that hangs announces nothing. So it is pinged while it runs.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockmgrd import names
from dockmgrd.errors import ServiceFailed
from dockmgrd.host.engine import Engine
from dockmgrd.host.engine_problems import PID_FILE, EngineSetup, inspect_setup
from dockmgrd.host.filecache import Stamp, read_stamp
from dockmgrd.host.hosts_support import HostsSupport, judge_running_engine
from dockmgrd.host.systemd import Systemd
from dockmgrd.mirror_urls import normalize_known
from dockmgrd.timeouts import within

logger = logging.getLogger(__name__)

_SECONDS_TO_TAKE_EFFECT = 1.0
_SECONDS_BETWEEN_LOOKS = 0.05
_MIN_LOOKS = 20
"""How often the engine is asked in that time at least, also on a busy machine."""
ANSWER_TIMEOUT = 1.0
"""Seconds after which the engine counts as not answering."""
PING_INTERVAL = 0.7
_RELOADING = ("active", "reloading")


@dataclass(frozen=True)
class Live:
    """The engine's service, and what the engine says of itself while that is active."""

    installed: bool = False
    service_state: str = "inactive"
    engine_version: str = ""
    mirrors: tuple[str, ...] = ()
    hosts_support: HostsSupport = HostsSupport.UNKNOWN
    """Whether the engine uses hosts.toml files."""
    setup: EngineSetup = field(default_factory=EngineSetup)
    """How it is set up, and what is wrong with that."""
    answers: bool = True
    """Whether a running engine answers in time. When it does not, the rest may be out of date."""


@dataclass
class EngineWatch:
    """Keeps `live` fresh; `changed` is called when it is another.

    However many notifications arrive, one refresh runs at a time, and one more after it.
    """

    systemd: Systemd
    engine: Engine
    changed: Callable[[], None]
    ping_interval: float = PING_INTERVAL
    answer_timeout: float = ANSWER_TIMEOUT
    live: Live = field(default_factory=Live)
    _once: asyncio.Event = field(default_factory=asyncio.Event)
    _stale: bool = False
    """The engine must be asked again."""
    _unit_stale: bool = False
    """So must systemd."""
    _announced_state: str = ""
    """The state of the service that systemd has announced since the question."""
    _announced: tuple[str, ...] | None = None
    """Mirrors that the engine says it has reloaded, until it is seen to use them."""
    _socket_state: str = ""
    _refresher: asyncio.Task[None] | None = None
    _follower: asyncio.Task[None] | None = None
    _pinger: asyncio.Task[None] | None = None
    _silent: bool = False
    """It has not answered the last ping."""
    _pid_file: Stamp = ()
    _late: bool = False
    """It has not answered the last question for its facts, or not yet."""

    async def start(self) -> None:
        """Follow the facts from now on, and begin to learn them; `known` waits for that."""
        await self.systemd.watch(names.DOCKER_UNIT, self._on_unit_change)
        await self.systemd.watch(names.DOCKER_SOCKET_UNIT, self._on_socket_change)
        await self.systemd.watch_reloads(self.refresh_soon)
        self.refresh_soon()

    async def wait_until_known(self) -> None:
        """Wait until the first refresh has finished, successfully or not, or is late."""
        if not self._once.is_set():
            await self._once.wait()
        stamp = read_stamp([PID_FILE])
        if stamp != self._pid_file:  # systemd announces no engine of another unit.
            self._pid_file = stamp
            self.refresh_soon()
            if self._refresher is not None:
                await asyncio.wait({self._refresher}, timeout=self.answer_timeout)

    async def stop(self) -> None:
        """End what follows the engine."""
        for task in (self._follower, self._pinger, self._refresher):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    async def refresh(self) -> None:
        """Ask systemd and, while its service is active, the engine."""
        try:
            self._announced_state = ""
            live = await self._ask()
            self._set(replace(live, service_state=self._announced_state or live.service_state))
        finally:
            self._once.set()

    async def _refresh_facts(self) -> None:
        """Ask the engine alone: nothing of its unit has changed but the state, maybe."""
        known = self.live
        unit = Live(known.installed, known.service_state, setup=known.setup)
        live = await self._ask_engine(unit)
        self._set(replace(live, service_state=self.live.service_state))

    async def _ask(self) -> Live:
        unit = await self.systemd.get_state(names.DOCKER_UNIT)
        setup = await inspect_setup(self.systemd, unit)
        live = Live(unit.load_state == "loaded", unit.active_state, setup=setup)
        if (unit.active and setup.has_local_socket) or setup.unmanaged:
            live = await self._ask_engine(live)
            if not self._stale:  # Else it may have begun to stop, and docker.socket start it again.
                self._follow_engine()
        else:
            self._leave_engine()
        return live

    async def _ask_engine(self, live: Live) -> Live:
        """The state with the facts of the engine; the last known ones while it is late."""
        question = asyncio.ensure_future(self.engine.facts())
        try:
            await asyncio.wait({question}, timeout=self.answer_timeout)
            if not question.done():
                self._late = True
                self._set(self._keep_facts(live))
                self._once.set()
            facts = await question
        except ServiceFailed as error:
            logger.info("%s", error)
            was_late, self._late = self._late, True
            return self._keep_facts(live) if was_late else replace(live, answers=False)
        finally:
            question.cancel()
        self._late = self._silent = False
        return replace(
            live,
            engine_version=facts.version,
            mirrors=facts.mirrors,
            hosts_support=judge_running_engine(facts),
        )

    def _keep_facts(self, live: Live) -> Live:
        known = self.live
        return replace(
            live,
            engine_version=known.engine_version,
            mirrors=known.mirrors,
            hosts_support=known.hosts_support,
            answers=False,
        )

    def _set(self, live: Live) -> None:
        if live != self.live:
            self.live = live
            self.changed()

    def _on_unit_change(self, values: Mapping[str, Any]) -> None:
        """The engine sends an event after a reload of the service."""
        state = values.get("ActiveState")
        if state is None:
            return
        if state in _RELOADING and self.live.service_state in _RELOADING:
            self._announced_state = state
            self._set(replace(self.live, service_state=state))
            return
        if state not in _RELOADING:
            self._leave_engine()
        self.refresh_soon()

    def _on_socket_change(self, values: Mapping[str, Any]) -> None:
        """systemd announces the socket also when nothing but its service has changed."""
        state = values.get("ActiveState", "")
        if state != self._socket_state:
            self._socket_state = state
            self.refresh_soon()

    def refresh_soon(self, *, unit: bool = True) -> None:
        """Ask again; several requests at once are one.

        :param unit: whether the state of the service can be another.
        """
        self._stale = True
        self._unit_stale |= unit
        if self._refresher is None or self._refresher.done():
            self._refresher = asyncio.ensure_future(self._refresh_while_stale())

    async def _refresh_while_stale(self) -> None:
        """Refresh until nothing new has been heard and what was announced is in force.

        The engine announces new mirrors a moment before it uses them, and nothing tells when.
        """
        loop = asyncio.get_running_loop()
        deadline, looks = loop.time() + _SECONDS_TO_TAKE_EFFECT, 0
        while self._stale:
            self._stale = False
            if self._unit_stale or not self.live.engine_version:
                self._unit_stale = False
                await self.refresh()
            else:
                await self._refresh_facts()
            looks += 1
            is_over = looks >= _MIN_LOOKS and loop.time() > deadline
            if self._announced in (None, self.live.mirrors) or is_over:
                self._announced = None
            else:
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
                self._stale = True

    async def _ping_engine(self) -> None:
        """Notice when the engine stops to answer, and when it does so again."""
        while True:
            # A hung engine has to work through all of these when it recovers.
            await asyncio.sleep(self.ping_interval * (3 if self._silent else 1))
            try:
                await within(self.engine.ping(), self.answer_timeout)
                self._silent = False
            except (ServiceFailed, asyncio.TimeoutError) as error:
                logger.debug("the engine does not answer: %s", error)
                self._silent = True
            self._set(replace(self.live, answers=not (self._silent or self._late)))
            asking = self._refresher is not None and not self._refresher.done()
            is_unknown = self._late or not self.live.engine_version  # It may not have listened yet.
            if is_unknown and not self._silent and not asking:
                self.refresh_soon()

    def _follow_engine(self) -> None:
        if self._pinger is None or self._pinger.done():
            self._pinger = asyncio.ensure_future(self._ping_engine())
        if self._follower is None or self._follower.done():
            self._follower = asyncio.ensure_future(self._await_reloads())

    def _leave_engine(self) -> None:
        """Let go of an engine that is being stopped: it waits up to 5 s for its clients to go.

        As moby's http.Server.Shutdown does, in the engines of today.
        """
        for task in (self._follower, self._pinger):
            if task is not None:
                task.cancel()
        self._follower = self._pinger = None
        self._silent = self._late = False

    async def _await_reloads(self) -> None:
        """Refresh whenever the engine has reloaded, by whomever, until it goes away."""
        try:
            async with self.engine.open_reload_events() as events:
                while event := await events.readline():
                    self._announced = _mirrors_of(event)
                    self.refresh_soon(unit=False)
            if self.live.setup.unmanaged:
                self.refresh_soon()
        except ServiceFailed as error:
            logger.debug("no more events of the engine: %s", error)


def _mirrors_of(event: bytes) -> tuple[str, ...] | None:
    """The mirrors that a reload event tells; None when it tells none."""
    try:
        mirrors = json.loads(json.loads(event)["Actor"]["Attributes"]["registry-mirrors"])
        return normalize_known(tuple(map(str, mirrors)))
    except (ValueError, KeyError, TypeError):
        return None
