# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon queries the engine after events, and not more often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bed.limits import HANG_TIMEOUT
from dockmgrd import names
from dockmgrd.daemon.engine_watch import EngineWatch
from dockmgrd.errors import ServiceFailed
from dockmgrd.host.engine import Engine
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState

A, B = "https://a.example/", "https://b.example/"
_PROPERTIES: Mapping[str, Any] = {
    "ExecStart": [["/usr/bin/dockerd", ["/usr/bin/dockerd", "-H", "fd://"]]],
    "Environment": [],
    "EnvironmentFiles": [],
    "CanReload": True,
    "ConditionResult": True,
    "ConditionTimestamp": 1,
    "AssertResult": True,
    "AssertTimestamp": 1,
    "LoadState": "loaded",
    "Result": "success",
}


class _Systemd(Systemd):
    """A docker.service that is what the test says."""

    def __init__(self) -> None:
        self.asked = 0
        self.active_state = "active"
        self.moved: Callable[[Mapping[str, Any]], None] = lambda _: None
        self.reloaded: Callable[[], None] = lambda: None

    async def get_state(self, unit: str) -> UnitState:
        self.asked += 1
        await asyncio.sleep(0)
        return UnitState("loaded", self.active_state, "enabled", "/x", ())

    async def watch(
        self, unit: str, changed: Callable[[Mapping[str, Any]], None]
    ) -> Callable[[], None]:
        if unit == names.DOCKER_UNIT:
            self.moved = changed
        return lambda: None

    async def get_properties(self, unit: str, interface: str, *wanted: str) -> list[Any]:
        return [_PROPERTIES[name] for name in wanted]

    async def watch_reloads(self, reloaded: Callable[[], None]) -> None:
        self.reloaded = reloaded

    def move(self, state: str) -> None:
        self.active_state = state
        self.moved({"ActiveState": state, "SubState": "whatever"})


class _Engine(Engine):
    """An engine that counts how often it is asked; `late` answers are still the former ones."""

    def __init__(self) -> None:
        super().__init__()
        self.mirrors: tuple[str, ...] = (A,)
        self.late = 0
        self.asked = 0
        self.being_asked = asyncio.Event()
        self.gone = False
        self.followed = 0
        self.events = asyncio.StreamReader()
        self.running = asyncio.Event()
        self.running.set()
        self.quick = asyncio.Event()
        self.quick.set()

    async def ping(self) -> None:
        await self.running.wait()

    async def facts(self) -> EngineFacts:
        self.asked += 1
        self.being_asked.set()
        await asyncio.sleep(0.005)
        await self.running.wait()
        await self.quick.wait()
        if self.gone:
            raise ServiceFailed("It is gone.")
        if self.late:
            self.late -= 1
            return EngineFacts("28.5.1", (A,))
        return EngineFacts("28.5.1", self.mirrors)

    @asynccontextmanager
    async def open_reload_events(self) -> AsyncIterator[asyncio.StreamReader]:
        self.followed += 1
        yield self.events

    def announce(self, *mirrors: str) -> None:
        self.mirrors = mirrors
        attributes = {"registry-mirrors": json.dumps(mirrors)}
        event = {"Type": "daemon", "Action": "reload", "Actor": {"Attributes": attributes}}
        self.events.feed_data(json.dumps(event).encode() + b"\n")


class _Watched:
    """A watch over both, and a way to wait for what it tells."""

    def __init__(self) -> None:
        self.systemd, self.engine = _Systemd(), _Engine()
        self.news = asyncio.Event()
        self.watch = EngineWatch(
            self.systemd, self.engine, self.news.set, ping_interval=0.01, answer_timeout=0.2
        )

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), HANG_TIMEOUT)


@asynccontextmanager
async def watching() -> AsyncIterator[_Watched]:
    watched = _Watched()
    await watched.watch.start()
    await watched.watch.wait_until_known()
    try:
        yield watched
    finally:
        await watched.watch.stop()


async def test_a_burst_of_news_is_asked_for_twice_at_most() -> None:
    async with watching() as watched:
        before = watched.engine.asked
        for _ in range(20):
            watched.systemd.reloaded()
        watched.engine.mirrors = (B,)
        await watched.until(lambda: watched.watch.live.mirrors == (B,))
        assert watched.engine.asked - before <= 2


async def test_a_reload_is_asked_for_once() -> None:
    async with watching() as watched:
        before, of_systemd = watched.engine.asked, watched.systemd.asked
        watched.systemd.move("reloading")
        assert watched.watch.live.service_state == "reloading"
        watched.engine.announce(B)
        watched.systemd.move("active")
        await watched.until(lambda: watched.watch.live.mirrors == (B,))
        assert watched.watch.live.service_state == "active"
        assert watched.engine.asked - before == 1
        assert watched.systemd.asked == of_systemd


async def test_a_state_that_is_announced_meanwhile_is_newer_than_the_answer() -> None:
    async with watching() as watched:
        watched.systemd.move("reloading")
        watched.engine.mirrors = (B,)
        watched.engine.quick.clear()
        watched.engine.being_asked.clear()
        watched.systemd.reloaded()
        await watched.engine.being_asked.wait()
        watched.systemd.move("active")
        watched.engine.quick.set()
        await watched.until(lambda: watched.watch.live.mirrors == (B,))
        assert watched.watch.live.service_state == "active"


@pytest.mark.parametrize("late", [1, 3])
async def test_mirrors_that_are_announced_are_asked_for_until_they_are_in_force(late: int) -> None:
    async with watching() as watched:
        watched.engine.late = late
        before = watched.engine.asked
        watched.engine.announce(B)
        await watched.until(lambda: watched.watch.live.mirrors == (B,))
        assert watched.engine.asked - before == late + 1


async def test_an_engine_that_goes_and_comes_is_followed() -> None:
    async with watching() as watched:
        before = watched.engine.asked
        watched.systemd.move("deactivating")
        await watched.until(lambda: watched.watch.live.service_state == "deactivating")
        assert watched.watch.live.mirrors == ()
        watched.systemd.move("inactive")
        await watched.until(lambda: watched.watch.live.service_state == "inactive")
        assert watched.engine.asked == before, "docker.socket would start it for every connection"
        watched.engine.mirrors = (B,)
        watched.systemd.move("activating")
        watched.systemd.move("active")
        await watched.until(lambda: watched.watch.live.mirrors == (B,))


async def test_an_engine_that_does_not_answer_has_no_version() -> None:
    async with watching() as watched:
        watched.engine.gone = True
        watched.systemd.reloaded()
        await watched.until(lambda: watched.watch.live.engine_version == "")
        assert watched.watch.live.installed
        assert not watched.watch.live.answers


async def test_an_engine_that_stops_while_it_is_asked_is_not_followed_again() -> None:
    """Its socket is systemd's, and would start it again."""
    async with watching() as watched:
        followed = watched.engine.followed
        watched.engine.being_asked.clear()
        watched.systemd.reloaded()
        await watched.engine.being_asked.wait()
        watched.systemd.move("deactivating")
        await watched.until(lambda: watched.watch.live.service_state == "deactivating")
        assert watched.engine.followed == followed


async def test_an_engine_that_hangs_is_noticed_and_so_is_its_recovery() -> None:
    """Nothing is announced of either."""
    async with watching() as watched:
        watched.engine.running.clear()
        await watched.until(lambda: not watched.watch.live.answers)
        assert watched.watch.live.mirrors == (A,), "what is known of it is probably still so"
        asked = watched.engine.asked
        watched.engine.running.set()
        await watched.until(lambda: watched.watch.live.answers)
        assert watched.engine.asked == asked, "it had answered the questions that there were"


async def test_an_engine_that_hangs_from_the_start_keeps_nobody_waiting() -> None:
    watched = _Watched()
    watched.engine.running.clear()
    await watched.watch.start()
    await watched.watch.wait_until_known()
    try:
        assert not watched.watch.live.answers
        assert watched.watch.live.service_state == "active"
        assert watched.watch.live.engine_version == ""
        watched.engine.running.set()
        await watched.until(lambda: watched.watch.live.answers)
        assert watched.watch.live.mirrors == (A,)
    finally:
        await watched.watch.stop()


async def test_an_engine_that_only_answers_pings_is_late() -> None:
    async with watching() as watched:
        watched.engine.quick.clear()
        watched.engine.mirrors = (B,)
        watched.systemd.reloaded()
        await watched.until(lambda: not watched.watch.live.answers)
        await asyncio.sleep(0.1)  # Some pings, which are answered.
        assert not watched.watch.live.answers
        watched.engine.quick.set()
        await watched.until(lambda: watched.watch.live.answers)
        assert watched.watch.live.mirrors == (B,)


async def test_an_engine_whose_answer_was_given_up_is_asked_again_when_it_recovers() -> None:
    async with watching() as watched:
        watched.engine.quick.clear()
        watched.systemd.reloaded()
        await watched.until(lambda: not watched.watch.live.answers)
        watched.engine.gone = True
        watched.engine.quick.set()
        await asyncio.sleep(0.05)
        assert not watched.watch.live.answers
        watched.engine.gone = False
        watched.engine.mirrors = (B,)
        await watched.until(lambda: watched.watch.live.answers)
        assert watched.watch.live.mirrors == (B,)


async def test_an_engine_that_stops_is_not_pinged() -> None:
    """Its socket is systemd's, and would start it again."""
    async with watching() as watched:
        watched.engine.running.clear()
        await watched.until(lambda: not watched.watch.live.answers)
        watched.systemd.move("inactive")
        await watched.until(lambda: watched.watch.live.service_state == "inactive")
        assert watched.watch.live.answers
        await asyncio.sleep(0.05)
        assert watched.watch.live.answers
