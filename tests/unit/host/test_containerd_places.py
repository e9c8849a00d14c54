# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where containerd keeps its data: flags, the configuration, what it imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.host import containerd_places
from dockmgrd.host.containerd_places import (
    DEFAULT_ROOT,
    DEFAULT_STATE,
    ContainerdPlaces,
    join_places,
    read_places,
)
from dockmgrd.host.processes import HostProcess

SERVICE = ("/usr/bin/containerd",)


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setattr(containerd_places, "CONFIGURATION", path)
    return path


def test_defaults(configuration: Path) -> None:
    assert join_places([], SERVICE) == ContainerdPlaces((DEFAULT_ROOT,), (DEFAULT_STATE,))
    configuration.write_text('version = 2\n[plugins."x"]\nroot = "/of/a/plugin"\n')
    assert join_places([], ()) == ContainerdPlaces((DEFAULT_ROOT,), (DEFAULT_STATE,))


@pytest.mark.parametrize("form", [("--root", "/flag"), ("--root=/flag",)])
def test_a_flag_and_the_configuration_both_count(
    configuration: Path, form: tuple[str, ...]
) -> None:
    configuration.write_text("root = '/file'\nstate = \"/state\"\n")
    found = join_places([], (*SERVICE, *form))
    assert found == ContainerdPlaces((Path("/flag"), Path("/file")), (Path("/state"),))


@pytest.mark.parametrize("flag", ["--config", "-c"])
def test_another_configuration(configuration: Path, tmp_path: Path, flag: str) -> None:
    configuration.write_text('root = "/unused"\n')
    other = tmp_path / "other.toml"
    other.write_text('  root="/other"  # comment\n')
    assert join_places([], (*SERVICE, flag, str(other))).roots == (Path("/other"),)


def test_imports(configuration: Path, tmp_path: Path) -> None:
    """Over several lines, relative and as patterns; files that import each other end, too."""
    configuration.write_text(f'imports = ["conf.d/*.toml",\n  "{tmp_path}/more.toml"]\n')
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").write_text('root = "/a"\n')
    (tmp_path / "more.toml").write_text('imports = ["config.toml"]\nstate = "/more"\n')
    found = read_places(configuration)
    assert found == ContainerdPlaces((Path("/a"),), (Path("/more"),))


def test_a_process_of_others_uses_its_folder() -> None:
    processes = [
        HostProcess(1, (*SERVICE, "--root", "/ours"), "containerd.service"),
        HostProcess(2, (*SERVICE, "--config=/run/docker/c.toml", "--root=/its"), "docker.service"),
        HostProcess(3, SERVICE, "k3s.service"),
        HostProcess(4, (*SERVICE, "--root", "/by/hand"), ""),
    ]
    found = join_places(processes, SERVICE)
    assert set(found.roots) == {*map(Path, ("/ours", "/its", "/by/hand")), DEFAULT_ROOT}
    assert found.used_roots == (DEFAULT_ROOT, Path("/by/hand"))


def test_a_configuration_that_is_no_file(configuration: Path) -> None:
    configuration.mkdir()
    assert read_places(configuration) == ContainerdPlaces()
