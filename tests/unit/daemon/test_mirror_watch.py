# SPDX-License-Identifier: LGPL-2.1-or-later
"""The timer of the mirror watch follows the settings, and Status says when it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from dockmgrd import names, paths
from dockmgrd.daemon.mirror_watch import WatchView
from dockmgrd.errors import DockmgrError, RemoteError, ServiceFailed
from dockmgrd.host import adminconfig, watch_config
from dockmgrd.host.adminconfig import LimitsFile
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState

ON, OFTEN, OFF = "mirror-watch: {every: 6h}\n", "mirror-watch: {every: 30min}\n", ""
RATE_LIMIT = RemoteError("org.freedesktop.DBus.Error.LimitsExceeded", "Reload is rate limited.")


class _Systemd:
    """A systemd with the generator of the timer, which refuses what the test says."""

    def __init__(self, settings: Path, units: Path) -> None:
        self.settings = settings
        self.timer = units / names.WATCH_TIMER
        self.active = False
        self.masked = False
        self.refusals: dict[str, DockmgrError] = {}
        self.calls: list[str] = []
        self.on_change: Callable[[], None] = lambda: None
        self.on_reload: Callable[[], None] = lambda: None
        self.on_question: Callable[[], None] = lambda: None

    @property
    def generated(self) -> str:
        return self.timer.read_text() if self.timer.exists() else ""

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.refusals:
            raise self.refusals[name]

    async def stop(self, unit: str) -> None:
        self._call("stop")
        self.active = False
        self.on_change()

    async def reload_manager(self) -> None:
        self._call("reload")
        watch = adminconfig.read(self.settings).mirror_watch
        if watch:
            self.timer.write_text(watch_config.render_timer(watch))
        else:
            self.timer.unlink(missing_ok=True)
        self.on_reload()

    async def start(self, unit: str) -> None:
        self._call("start")
        self.active = True
        self.on_change()

    async def watch_path(self, path: str, changed: Callable[[Mapping[str, Any]], None]) -> None:
        self.on_change = lambda: changed({})

    async def watch_reloads(self, reloaded: Callable[[], None]) -> None:
        self.on_reload = reloaded

    async def get_state(self, unit: str) -> UnitState:
        load_state = "masked" if self.masked else "loaded" if self.generated else "not-found"
        active_state = "active" if self.active else "inactive"
        self.on_question()
        return UnitState(load_state, active_state, "generated", "", ())


class Host:
    """A host with a daemon, which a test can restart."""

    def __init__(self, folder: Path) -> None:
        self.settings = folder / "dockmgrd.yaml"
        self.good = folder / "good.yaml"
        self.systemd = _Systemd(self.settings, folder)
        self.restart()

    def restart(self) -> None:
        limits = LimitsFile(self.settings, self.good)
        self.view = WatchView(cast("Systemd", self.systemd), limits, lambda _: ())

    async def set(self, settings: str) -> list[str]:
        """Write the settings, and return the ids of the problems."""
        self.settings.write_text(settings)
        return await self.look()

    async def look(self) -> list[str]:
        await self.view.follow_settings()
        return [each.id for each in self.view.problems]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(paths, "GENERATED_UNITS", tmp_path)
    return Host(tmp_path)


async def test_the_timer_follows(host: Host) -> None:
    assert await host.set(OFF) == []
    assert host.systemd.calls == []
    for settings, interval in ((ON, 21600), (OFTEN, 1800)):
        assert await host.set(settings) == []
        assert host.systemd.active
        assert f"OnUnitActiveSec={interval}" in host.systemd.generated
    assert host.systemd.calls == ["stop", "reload", "start"] * 2
    assert await host.set(OFF) == []
    assert (host.systemd.active, host.systemd.generated) == (False, "")


async def test_a_start_while_the_state_is_asked_for_is_noticed(host: Host) -> None:
    await host.set(ON)
    await host.systemd.stop("")

    def start() -> None:
        host.systemd.on_question = lambda: None
        host.systemd.active = True
        host.systemd.on_change()

    host.systemd.on_question = start
    assert await host.look() == []


async def test_a_reload_that_is_refused_is_a_problem_until_somebody_reloads(host: Host) -> None:
    host.systemd.refusals["reload"] = RATE_LIMIT
    assert await host.set(ON) == ["watch-refused"]
    [problem] = host.view.problems
    assert "does not run: Reload is rate limited." in str(problem)
    assert problem.remedy is not None
    assert problem.remedy.command == (
        "systemctl daemon-reload && systemctl restart dockmgrd-mirror-watch.timer"
    )
    assert host.systemd.calls.count("reload") == 1
    assert await host.look() == ["watch-refused"]
    assert host.systemd.calls.count("reload") == 1, "it is not asked again and again"
    host.restart()
    assert await host.look() == ["watch-refused"]
    host.systemd.refusals.clear()
    await host.systemd.reload_manager()
    assert await host.look() == ["watch-refused"], "the timer does not run yet"
    await host.systemd.start("")
    assert await host.look() == []


async def test_a_start_that_is_refused_is_a_problem_even_for_the_next_daemon(host: Host) -> None:
    host.systemd.refusals["start"] = ServiceFailed("No.")
    assert await host.set(ON) == ["watch-refused"]
    host.restart()
    assert await host.look() == ["watch-not-started"]
    host.systemd.masked = True
    host.restart()
    assert await host.look() == ["watch-masked"]


async def test_a_timer_that_cannot_be_turned_off(host: Host) -> None:
    assert await host.set(ON) == []
    host.systemd.refusals["stop"] = ServiceFailed("No.")
    assert await host.set(OFF) == ["watch-not-stopped"]
    host.systemd.refusals.clear()
    await host.systemd.stop("")
    await host.systemd.reload_manager()
    assert await host.look() == []
