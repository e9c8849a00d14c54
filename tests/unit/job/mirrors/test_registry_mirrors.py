# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mirrors of a registry: which engines use them, and which settings of others they must keep."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockmgrd import paths
from dockmgrd.enums import Kind
from dockmgrd.errors import ConfigConflict, DockmgrError, InvalidArgs, UnsafePath
from dockmgrd.host.engine import Engine
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.installed_packages import InstalledPackages
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors.registry_mirrors import set_registry_mirrors
from dockmgrd.mirror_urls import Mode
from dockmgrd.model import JobRequest
from dockmgrd.options.mirrors import SetMirrorOptions

A, B, PLAIN = "https://a.example/", "https://b.example/", "http://b.example/"
CONTAINERD = EngineFacts("28.5.1", containerd_store=True)
CLASSIC = EngineFacts("28.5.1")
FLAG = ("--feature", "containerd-snapshotter=true")
STORE, OLD = "classic-image-store", "engine-without-hosts-files"


class _Engine(Engine):
    def __init__(self, facts: EngineFacts) -> None:
        super().__init__()
        self.known = facts

    async def facts(self) -> EngineFacts:
        return self.known


class _Systemd(Systemd):
    """A docker.service, in which dockerd has these arguments."""

    def __init__(self, load_state: str, active_state: str, *arguments: str) -> None:
        self.state = UnitState(load_state, active_state, "enabled", "/unit", ())
        self.command_line = ["/nonexistent/dockerd", "-H", "fd://", *arguments]

    async def get_state(self, unit: str) -> UnitState:
        return self.state

    async def get_properties(self, unit: str, interface: str, *wanted: str) -> list[Any]:
        return [[["/nonexistent/dockerd", self.command_line]], [], []]


class Host:
    """A host whose engine has these facts; without any it does not run."""

    def __init__(self, certs: Path) -> None:
        self.certs = certs
        self.facts: EngineFacts | None = CONTAINERD
        self.load_state = "loaded"
        self.arguments: tuple[str, ...] = ()
        self.notes: list[str] = []

    async def set(self, *mirrors: str, registry: str = "ghcr.io", **more: Any) -> dict[str, Any]:
        active = "active" if self.facts else "inactive"
        request = JobRequest("20260101T000000_abcdef", Kind.SET_MIRROR, {}, 0, 0)
        systemd = _Systemd(self.load_state, active, *self.arguments)
        context = JobContext(request, systemd, _Engine(self.facts or EngineFacts()))
        keys = {key.replace("_", "-"): value for key, value in more.items()}
        given = {"mirrors": list(mirrors), "registry": registry, **keys}
        try:
            return await set_registry_mirrors(context, SetMirrorOptions.parse(given))
        finally:
            self.notes = [note.id for note in context.notes]

    def read(self, registry: str = "ghcr.io") -> str:
        lines = (self.certs / registry / "hosts.toml").read_text().splitlines()
        return "\n".join(line for line in lines if line and not line.startswith("#"))

    def put(self, name: str, text: str = "") -> Path:
        path = self.certs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def set_installed(monkeypatch: pytest.MonkeyPatch, versions: Mapping[str, str]) -> None:
    """Set which packages of Docker the host has."""

    async def require_versions(_: InstalledPackages) -> Mapping[str, str]:
        return versions

    monkeypatch.setattr(InstalledPackages, "require_versions", require_versions)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(paths, "REGISTRY_CERTIFICATES", tmp_path / "certs.d")
    monkeypatch.setattr(paths, "DAEMON_JSON", tmp_path / "daemon.json")
    set_installed(monkeypatch, {"docker-ce": "28.5.1-1"})
    monkeypatch.setattr("dockmgrd.job.mirrors.engine_control.find_unmanaged_engine", lambda _: None)
    monkeypatch.setattr("dockmgrd.job.mirrors.engine_control.check_local_socket", lambda _: None)
    return Host(tmp_path / "certs.d")


async def test_set_append_remove_and_clear(host: Host) -> None:
    result = await host.set(A)
    assert '+[host."https://a.example"]' in result.pop("diff").splitlines()
    assert result == {"changed": True, "registry": "ghcr.io", "mirrors": [A], "active": True}
    assert (await host.set(A))["changed"] is False
    assert (await host.set(PLAIN, mode="append"))["mirrors"] == [A, PLAIN]
    assert host.read() == (
        '[host."https://a.example"]\ncapabilities = ["pull", "resolve"]\n'
        '[host."http://b.example"]\ncapabilities = ["pull", "resolve"]'
    )
    assert (await host.set("https://A.example", mode="remove"))["mirrors"] == [PLAIN]
    assert (await host.set())["changed"] is True
    assert list(host.certs.iterdir()) == []
    assert (await host.set())["changed"] is False
    assert host.notes == []


async def test_a_dry_run_changes_nothing(host: Host) -> None:
    result = await host.set(A, dry_run=True)
    assert result["changed"]
    assert '+[host."https://a.example"]' in result["diff"].splitlines()
    assert not host.certs.exists()


@pytest.mark.parametrize("content", ["", 'server = "https://ghcr.io"\n', "# empty\n"])
@pytest.mark.parametrize("mirrors", [(), (A,)])
async def test_a_file_of_another_hand_is_refused(
    host: Host, content: str, mirrors: tuple[str, ...]
) -> None:
    path = host.put("ghcr.io/hosts.toml", content)
    with pytest.raises(ConfigConflict, match="did not write") as caught:
        await host.set(*mirrors)
    assert str(path) in caught.value.message
    assert path.read_text() == content


async def test_an_edited_file_is_of_another_hand(host: Host) -> None:
    await host.set(A)
    path = host.certs / "ghcr.io" / "hosts.toml"
    edited = path.read_text() + "# mine\n"
    path.write_text(edited)
    for mirrors in ((), (B,)):
        with pytest.raises(ConfigConflict):
            await host.set(*mirrors)
    assert path.read_text() == edited


@pytest.mark.parametrize(
    ("facts", "features", "arguments", "version", "expected"),
    [
        (CONTAINERD, None, (), "28.5.1", "used"),
        (CLASSIC, None, (), "28.5.1", STORE),
        (CLASSIC, True, (), "28.5.1", STORE),
        (EngineFacts("26.1.5", containerd_store=True), None, (), "26.1.5", OLD),
        (EngineFacts("20.10.24"), None, (), "20.10.24", OLD),
        (EngineFacts("27.5.1", containerd_store=True), None, (), "27.5.1", "unknown"),
        (None, True, (), "28.5.1", "stopped"),
        (None, None, FLAG, "28.5.1", "stopped"),
        (None, False, (), "29.1.0", STORE),
        (None, None, (), "28.5.1", STORE),
        (None, None, FLAG, "26.1.5", OLD),
        (None, None, (), "29.1.0", "unknown stopped"),
        (None, None, (), "", "unknown stopped"),
    ],
)
async def test_engines_that_would_not_use_the_mirrors_are_refused(
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
    facts: EngineFacts | None,
    features: bool | None,
    arguments: tuple[str, ...],
    version: str,
    expected: str,
) -> None:
    host.facts, host.arguments = facts, arguments
    if features is not None:
        values = {"features": {"containerd-snapshotter": features}}
        paths.DAEMON_JSON.write_text(json.dumps(values))
    set_installed(monkeypatch, {"docker-ce": f"{version}-1"})
    if expected in (STORE, OLD):
        with pytest.raises(InvalidArgs) as caught:
            await host.set(A)
        assert caught.value.text.id == expected
        assert "option allow-unused" in caught.value.message
        assert not host.certs.exists()
        assert (await host.set(A, allow_unused=True))["active"] is False
        assert expected in host.notes
        await host.set(A, B, allow_unused=True)
        assert (await host.set(B, A))["changed"] is True
        assert (await host.set(A, mode="remove"))["mirrors"] == [B]
        assert expected in host.notes
        with pytest.raises(InvalidArgs):
            await host.set(A, mode="append")
    else:
        assert (await host.set(A))["active"] is (expected == "used")
        notes = {"unknown": "hosts-files-support-unknown", "stopped": "engine-not-running"}
        assert host.notes == [notes[word] for word in expected.split() if word in notes]
    assert (await host.set())["changed"] is True, "everybody may clear what is not used"


async def test_certificates_beside_the_file_keep_working(host: Host) -> None:
    for name in ("ca.crt", "client.cert", "client.key"):
        host.put(f"ghcr.io/{name}")
    host.put("a.example/mirror.crt")
    await host.set(A, B)
    assert host.read().splitlines() == [
        'ca = ["ca.crt"]',
        'client = [["client.cert", "client.key"]]',
        '[host."https://a.example"]',
        'capabilities = ["pull", "resolve"]',
        f'ca = ["{host.certs}/a.example/mirror.crt"]',
        '[host."https://b.example"]',
        'capabilities = ["pull", "resolve"]',
    ]
    host.put("ghcr.io/second.crt")
    assert (await host.set(A, B))["changed"] is True
    assert 'ca = ["ca.crt", "second.crt"]' in host.read()
    await host.set()
    left = {each.name for each in (host.certs / "ghcr.io").iterdir()}
    assert left == {"ca.crt", "client.cert", "client.key", "second.crt"}


async def test_a_folder_of_others_stays_though_it_is_empty(host: Host) -> None:
    (host.certs / "ghcr.io").mkdir(parents=True)
    await host.set(A)
    await host.set(B)
    await host.set()
    assert list((host.certs / "ghcr.io").iterdir()) == []


async def test_the_default_folder_holds_no_longer_for_a_registry_with_its_own(host: Host) -> None:
    host.put("_default/ca.crt")
    await host.set(A)
    assert f'ca = ["{host.certs}/_default/ca.crt"]' in host.read()
    await host.set()
    host.put("_default/hosts.toml", '[host."https://any.example"]\n')
    with pytest.raises(ConfigConflict, match="holds for every registry") as caught:
        await host.set(A)
    assert caught.value.text.remedy is not None
    assert caught.value.text.remedy.command == f"mkdir -p {host.certs}/ghcr.io"
    assert not (host.certs / "ghcr.io").exists()
    (host.certs / "ghcr.io").mkdir()
    assert (await host.set(A))["changed"] is True


@pytest.mark.parametrize(
    ("registry", "insecure", "unchecked"),
    [
        ("own.example:5000", {"own.example:5000"}, True),
        ("own.example", {"own.example:5000"}, False),
        ("10.1.2.3:5000", {"10.1.0.0/16"}, True),
        ("10.2.2.3:5000", {"10.1.0.0/16"}, False),
        ("[2001:db8::1]:5000", {"2001:db8::/64"}, True),
        ("127.0.0.1:5000", {"127.0.0.0/8"}, False),
        ("localhost:5000", {"localhost:5000"}, False),
    ],
)
async def test_registries_that_are_used_without_checks_stay_so(
    host: Host, registry: str, insecure: set[str], *, unchecked: bool
) -> None:
    host.facts = replace(CONTAINERD, insecure=frozenset(insecure))
    await host.set(A, registry=registry)
    server = [f'server = "http://{registry}"', "skip_verify = true"] if unchecked else []
    assert host.read(registry).splitlines()[: len(server) + 1] == [
        *server,
        '[host."https://a.example"]',
    ]
    host.facts = None
    paths.DAEMON_JSON.write_text(
        json.dumps(
            {"insecure-registries": sorted(insecure), "features": {"containerd-snapshotter": True}}
        )
    )
    assert (await host.set(A, registry=registry))["changed"] is False


async def test_what_stands_in_the_way_is_told_by_a_dry_run_too(host: Host) -> None:
    with tempfile.TemporaryDirectory() as elsewhere:
        host.certs.symlink_to(elsewhere)
        for dry_run in (True, False):
            with pytest.raises(UnsafePath, match="symbolic link"):
                await host.set(A, dry_run=dry_run)
        assert list(Path(elsewhere).iterdir()) == []


async def test_a_host_without_docker(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    set_installed(monkeypatch, {})
    host.facts, host.load_state = None, "not-found"
    assert (await host.set(A))["active"] is False
    assert host.notes[-1] == "engine-not-installed"


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.REMOVE])
async def test_modes_of_nothing_are_refused(host: Host, mode: Mode) -> None:
    with pytest.raises(DockmgrError):
        await host.set(mode=mode.value)


async def test_the_mirrors_must_be_those_that_the_caller_has_seen(host: Host) -> None:
    await host.set(A, expected=[])
    before = host.read()
    for expected in ([], [B], [A, B]):
        with pytest.raises(ConfigConflict, match=r"hosts\.toml names other mirrors"):
            await host.set(B, A, expected=expected)
    assert host.read() == before
    assert (await host.set(B, A, expected=[A]))["changed"] is True
