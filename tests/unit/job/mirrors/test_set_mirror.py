# SPDX-License-Identifier: LGPL-2.1-or-later
"""A change of mirrors with faulty engines that the test hosts do not have."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGHUP
from typing import Any

import pytest

from bed.limits import HANG_TIMEOUT
from dockmgrd import paths
from dockmgrd.enums import Kind
from dockmgrd.errors import ConfigConflict, RolledBack, ServiceFailed
from dockmgrd.host.engine import Engine
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors import reload
from dockmgrd.job.mirrors.set_mirror import apply_mirrors, set_mirror
from dockmgrd.model import JobRequest
from dockmgrd.options.mirrors import SetMirrorOptions

A, B, INSECURE = "https://a.example/", "https://b.example/", "own.example:5000"


class _Engine(Engine):
    """An engine that reloads daemon.json by moby's rules, with the faults that are set."""

    def __init__(self, *mirrors: str) -> None:
        super().__init__()
        self.mirrors = mirrors
        self.insecure: frozenset[str] = frozenset()
        self.forgets = False
        self.ignores = False
        self.goes_away = False
        self.reloads = 0
        self.events = asyncio.StreamReader()

    async def facts(self) -> EngineFacts:
        return EngineFacts("24.0.0", self.mirrors, self.insecure)

    @asynccontextmanager
    async def open_reload_events(self) -> AsyncIterator[asyncio.StreamReader]:
        self.events = asyncio.StreamReader()
        yield self.events

    def reload(self) -> None:
        self.reloads += 1
        if self.goes_away:
            self.goes_away = False
            self.events.feed_eof()
            return
        if self.ignores:
            return
        values = json.loads(paths.DAEMON_JSON.read_text())
        if "insecure-registries" in values:
            self.insecure = frozenset(values["insecure-registries"])
        if "registry-mirrors" in values:
            self.mirrors = tuple(values["registry-mirrors"])
            if self.forgets:
                self.insecure = frozenset()
        self.events.feed_data(b"{}\n")


class _Systemd(Systemd):
    """A docker.service that runs the engine."""

    def __init__(self, engine: _Engine) -> None:
        self.engine = engine
        self.active_state = "active"
        self.after_reload = "active"
        self.command_line = ["/nonexistent/dockerd", "-H", "fd://"]
        self.environment: list[str] = []
        self.environment_files: list[str] = []
        self.drop_ins: tuple[str, ...] = ()
        self.fails = False
        self.has_exec_reload = True

    async def get_state(self, unit: str) -> UnitState:
        return UnitState("loaded", self.active_state, "enabled", "/unit", self.drop_ins)

    async def get_properties(self, unit: str, interface: str, *wanted: str) -> list[Any]:
        files = [[path, True] for path in self.environment_files]
        return [[["/nonexistent/dockerd", self.command_line]], self.environment, files]

    async def can_reload(self, unit: str) -> bool:
        return self.has_exec_reload

    async def signal_main(self, unit: str, signal: int) -> None:
        assert signal == SIGHUP
        await self.reload(unit)

    async def reload(self, unit: str) -> None:
        if self.fails:
            raise ServiceFailed("It cannot be reloaded.")
        self.engine.reload()
        self.active_state = self.after_reload


@pytest.fixture(autouse=True)
def daemon_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "docker" / "daemon.json"
    monkeypatch.setattr(paths, "DAEMON_JSON", path)
    monkeypatch.setattr(reload, "_RELOAD_TIMEOUT", HANG_TIMEOUT)
    monkeypatch.setattr(reload, "_EFFECT_TIMEOUT", HANG_TIMEOUT)

    async def validate(*_: object) -> str:
        return ""

    monkeypatch.setattr("dockmgrd.host.dockerd.validate_config", validate)
    path.parent.mkdir()
    return path


@pytest.fixture
def impatience(daemon_json: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that says nothing, or whose mirrors stay others, is waited for only shortly."""
    monkeypatch.setattr(reload, "_RELOAD_TIMEOUT", 0.1)
    monkeypatch.setattr(reload, "_EFFECT_TIMEOUT", 0.1)


def context(engine: _Engine, systemd: _Systemd | None = None) -> JobContext:
    request = JobRequest("20260101T000000_abcdef", Kind.SET_MIRROR, {}, 0, 0)
    return JobContext(request, systemd or _Systemd(engine), engine)


async def test_an_engine_that_forgets_insecure_registries_gets_them_back(daemon_json: Path) -> None:
    daemon_json.write_text(json.dumps({"insecure-registries": [INSECURE], "debug": True}))
    engine = _Engine(A)
    engine.insecure = frozenset({INSECURE})
    engine.forgets = True
    job = context(engine)
    assert (await apply_mirrors(job, (B,)))["active"] is True
    assert (engine.mirrors, engine.insecure) == ((B,), frozenset({INSECURE}))
    assert engine.reloads == 2
    assert json.loads(daemon_json.read_text()) == {
        "insecure-registries": [INSECURE],
        "debug": True,
        "registry-mirrors": [B],
    }
    assert job.notes == []


async def test_forgotten_settings_are_reported(
    daemon_json: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon_json.write_text(json.dumps({"insecure-registries": [INSECURE]}))
    engine = _Engine(A)
    engine.insecure = frozenset({INSECURE})
    reloaded = engine.reload

    def forgetful() -> None:
        reloaded()
        engine.insecure = frozenset()

    monkeypatch.setattr(engine, "reload", forgetful)
    job = context(engine)
    await apply_mirrors(job, (B,))
    [note] = map(str, job.notes)
    assert INSECURE in note
    assert "Restart Docker Engine" in note
    assert json.loads(daemon_json.read_text())["registry-mirrors"] == [B]


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("before", ['{"debug":   true}\n', None])
async def test_an_engine_that_does_not_take_it_has_its_file_back(
    daemon_json: Path, before: str | None
) -> None:
    if before is not None:
        daemon_json.write_text(before)
    engine = _Engine(A)
    engine.ignores = True
    with pytest.raises(RolledBack, match=r"uses the mirrors https://a\.example/ instead of"):
        await apply_mirrors(context(engine), (B,))
    assert (daemon_json.read_text() if daemon_json.exists() else None) == before
    assert engine.reloads == 1, "an engine that took nothing need not be brought back"


@pytest.mark.usefixtures("impatience")
async def test_a_file_that_the_engine_does_not_take_was_not_changed(daemon_json: Path) -> None:
    before = json.dumps({"registry-mirrors": [B]})
    daemon_json.write_text(before)
    engine = _Engine(A)
    engine.ignores = True
    with pytest.raises(ServiceFailed, match="The file was left as it was"):
        await apply_mirrors(context(engine), (B,))
    assert daemon_json.read_text() == before
    assert list(daemon_json.parent.iterdir()) == [daemon_json]


@pytest.mark.usefixtures("impatience")
async def test_an_engine_that_took_something_else_is_brought_back(
    daemon_json: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon_json.write_text('{"debug":   true}\n')
    engine = _Engine(A)
    reloaded = engine.reload

    def wrong() -> None:
        reloaded()
        if engine.mirrors == (B,):
            engine.mirrors = ("https://else.example/",)

    monkeypatch.setattr(engine, "reload", wrong)
    with pytest.raises(RolledBack, match="else"):
        await apply_mirrors(context(engine), (B,))
    assert engine.mirrors == (A,)
    assert daemon_json.read_text() == '{"debug":   true}\n'


async def test_a_unit_that_cannot_be_reloaded_leaves_the_file(daemon_json: Path) -> None:
    daemon_json.write_text("{}")
    engine = _Engine(A)
    systemd = _Systemd(engine)
    systemd.fails = True
    with pytest.raises(ServiceFailed):
        await apply_mirrors(context(engine, systemd), (B,))
    assert daemon_json.read_text() == "{}"


async def test_an_engine_that_is_stopped_meanwhile_gets_it_at_its_start(daemon_json: Path) -> None:
    engine = _Engine(A)
    engine.goes_away = True
    systemd = _Systemd(engine)
    systemd.after_reload = "inactive"
    job = context(engine, systemd)
    assert (await apply_mirrors(job, (B,)))["active"] is False
    assert json.loads(daemon_json.read_text()) == {"registry-mirrors": [B]}
    assert "when it starts" in str(job.notes[0])


@pytest.mark.usefixtures("impatience")
async def test_an_engine_that_is_restarted_meanwhile_is_reloaded_again(daemon_json: Path) -> None:
    engine = _Engine(A)
    engine.goes_away = True
    assert (await apply_mirrors(context(engine), (B,)))["active"] is True
    assert (engine.mirrors, engine.reloads) == ((B,), 2)


@pytest.mark.parametrize("gone", [False, True], ids=["another's event", "restarted after it"])
async def test_an_early_answer_is_not_the_last(monkeypatch: pytest.MonkeyPatch, gone: bool) -> None:
    engine = _Engine(A)
    systemd = _Systemd(engine)
    asked, early = itertools.count(1), asyncio.Event()

    async def facts() -> EngineFacts:
        if next(asked) == 2:
            early.set()
            if gone:
                raise ServiceFailed("It is being restarted.")
        return await _Engine.facts(engine)

    async def reload_later(unit: str) -> None:
        engine.events.feed_data(b"{}\n")
        await early.wait()
        await _Systemd.reload(systemd, unit)

    monkeypatch.setattr(engine, "facts", facts)
    monkeypatch.setattr(systemd, "reload", reload_later)
    monkeypatch.setattr(reload, "_EFFECT_TIMEOUT", 0.0)
    assert (await apply_mirrors(context(engine, systemd), (B,)))["active"] is True
    assert (engine.mirrors, engine.reloads) == ((B,), 1)


async def test_a_slow_engine_has_as_long_as_its_answers_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = _Engine(A)
    systemd = _Systemd(engine)
    answers = itertools.count(1)

    async def facts() -> EngineFacts:
        if next(answers) == reload._MIN_ANSWERS // 2:
            _Engine.reload(engine)
        return await _Engine.facts(engine)

    async def announce_reload(unit: str) -> None:
        engine.events.feed_data(b"{}\n")

    monkeypatch.setattr(engine, "facts", facts)
    monkeypatch.setattr(systemd, "reload", announce_reload)
    monkeypatch.setattr(reload, "_EFFECT_TIMEOUT", 0.0)
    assert (await apply_mirrors(context(engine, systemd), (B,)))["active"] is True
    assert engine.mirrors == (B,)


async def test_drift_is_fixed_without_writing(daemon_json: Path) -> None:
    daemon_json.write_text(json.dumps({"registry-mirrors": [B]}))
    before = daemon_json.stat().st_ino
    engine = _Engine(A)
    assert (await apply_mirrors(context(engine), (B,)))["changed"] is True
    assert engine.mirrors == (B,)
    assert daemon_json.stat().st_ino == before


async def test_clearing_needs_a_list_only_where_there_is_something_to_clear(
    daemon_json: Path,
) -> None:
    assert (await apply_mirrors(context(_Engine()), ()))["changed"] is False
    assert not daemon_json.exists()
    engine = _Engine(A)
    assert (await apply_mirrors(context(engine), ()))["changed"] is True
    assert engine.mirrors == ()
    assert json.loads(daemon_json.read_text()) == {"registry-mirrors": []}


@pytest.mark.parametrize(
    ("words", "environment", "file", "conflict"),
    [
        (["--registry-mirror=https://x"], [], "", "unit"),
        (["--registry-mirror", "https://x"], [], "", "unit"),
        (["$OPTIONS"], ["OPTIONS=--debug --registry-mirror=https://x"], "", "unit"),
        (["$OPTIONS"], ["OPTIONS=--registry-mirror=https://x"], "OPTIONS=\n", ""),
        (["$OPTIONS"], [], "A=1\n# B\nOPTIONS='--registry-mirror=https://x'\n", "line 3"),
        (["--label=${OPTIONS}"], [], "OPTIONS='--registry-mirror=https://x'\n", ""),
        (["$OTHER"], [], "OPTIONS='--registry-mirror=https://x'\n", ""),
        ([], [], "OPTIONS='--registry-mirror=https://x'\n", ""),
    ],
)
async def test_flags_that_clash_are_found_where_they_stand(
    tmp_path: Path, words: list[str], environment: list[str], file: str, conflict: str
) -> None:
    engine = _Engine(A)
    systemd = _Systemd(engine)
    systemd.command_line += words
    systemd.environment = environment
    sysconfig = tmp_path / "sysconfig"
    sysconfig.write_text(file)
    systemd.environment_files = [str(sysconfig), str(tmp_path / "missing")]
    unit = tmp_path / "unit.conf"
    unit.write_text("[Service]\nExecStart=dockerd --registry-mirror=https://x\n")
    systemd.drop_ins = (str(unit),)
    options = SetMirrorOptions((B,))
    if not conflict:
        assert (await set_mirror(context(engine, systemd), options))["changed"] is True
        return
    with pytest.raises(ConfigConflict) as caught:
        await set_mirror(context(engine, systemd), options)
    where = f"{unit}, line 2" if conflict == "unit" else f"{sysconfig}, {conflict}"
    assert where in caught.value.message
    assert engine.mirrors == (A,)


async def test_mirrors_that_are_flags_cannot_be_cleared_in_the_file(daemon_json: Path) -> None:
    engine = _Engine(A)
    systemd = _Systemd(engine)
    systemd.command_line.append(f"--registry-mirror={A}")
    with pytest.raises(ConfigConflict):
        await apply_mirrors(context(engine, systemd), ())
    assert not daemon_json.exists()


async def test_a_unit_without_exec_reload_gets_a_signal(daemon_json: Path) -> None:
    engine = _Engine(A)
    systemd = _Systemd(engine)
    systemd.has_exec_reload = False
    assert (await apply_mirrors(context(engine, systemd), (B,)))["active"] is True
    assert engine.mirrors == (B,)
    assert engine.reloads == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--config-file", "/srv/docker.json"],
        ["--config-file=/srv/docker.json", "-D"],
        ["--registry-mirror", A],
        [f"--registry-mirror={A}"],
    ],
)
async def test_settings_in_the_unit_are_a_conflict(
    daemon_json: Path, tmp_path: Path, words: list[str]
) -> None:
    unit = tmp_path / "flags.conf"
    unit.write_text(f"[Service]\nExecStart=\nExecStart=dockerd {' '.join(words)}\n")
    engine = _Engine(A)
    systemd = _Systemd(engine)
    systemd.command_line += words
    systemd.drop_ins = (str(unit),)
    with pytest.raises(ConfigConflict, match=f"{unit}, line 3"):
        await apply_mirrors(context(engine, systemd), (B,))
    assert not daemon_json.exists()
    assert engine.reloads == 0


async def test_an_edit_of_others_wins(daemon_json: Path) -> None:
    """Both before the job, which the caller cannot see, and while it prepares the change."""
    edited = json.dumps({"registry-mirrors": [B], "debug": True})
    daemon_json.write_text(edited)
    engine = _Engine(A)
    options = {"mirrors": [B, A], "expected": [A]}
    for more in ({}, {"dry-run": True}, {"mode": "append"}):
        with pytest.raises(ConfigConflict, match=r"than the request expects: https://b\.example"):
            await set_mirror(context(engine), SetMirrorOptions.parse({**options, **more}))
    with pytest.raises(ConfigConflict):
        await set_mirror(context(engine), SetMirrorOptions.parse({**options, "expected": []}))

    async def answer() -> EngineFacts:
        daemon_json.write_text(edited)
        return EngineFacts(mirrors=engine.mirrors)

    patch = pytest.MonkeyPatch()
    patch.setattr(engine, "facts", answer)
    daemon_json.write_text(json.dumps({"registry-mirrors": [A]}))
    with pytest.raises(ConfigConflict, match="was edited at the same time"):
        await set_mirror(context(engine), SetMirrorOptions.parse(options))
    assert daemon_json.read_text() == edited
    assert (engine.mirrors, engine.reloads) == ((A,), 0)
    patch.undo()
    same = {"mirrors": [B, A], "expected": ["https://B.example"]}
    assert (await set_mirror(context(engine), SetMirrorOptions.parse(same)))["changed"] is True
