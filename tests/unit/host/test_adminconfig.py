# SPDX-License-Identifier: LGPL-2.1-or-later
"""The administrator's limits: what they say, what is wrong with them, what holds meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockmgrd.enums import Kind
from dockmgrd.errors import AccessDenied
from dockmgrd.host import adminconfig
from dockmgrd.host.adminconfig import DEFAULT, Limits, LimitsFile
from dockmgrd.host.watch_config import Choice, MirrorWatch
from dockmgrd.host.yamltree import Malformed
from dockmgrd.options.parsing import parse_options

FULL = """
default-source: tuna, aliyun
allowed-sources: [aliyun, tuna]
allowed-mirrors:
  - mirror.example
  - mirror.example:5000
  - '*.below.example'
  - '[2001:db8::1]'
idle-seconds: 90
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dockmgrd.yaml"


@pytest.fixture
def file(path: Path) -> LimitsFile:
    return LimitsFile(path, path.with_name("good"))


def test_all_keys(path: Path) -> None:
    path.write_text(FULL)
    config = adminconfig.read(path)
    assert config.default_source == "tuna,aliyun"
    assert config.allowed_sources == ("aliyun", "tuna")
    assert config.idle_seconds == 90


@pytest.mark.parametrize(
    ("mirror", "listed"),
    [
        ("https://mirror.example/", True),
        ("https://mirror.example:443/", True),
        ("https://mirror.example./", True),
        ("https://mirror.example:5000/", True),
        ("https://mirror.example:5001/", False),
        ("http://mirror.example/", False),
        ("https://a.below.example/", True),
        ("https://below.example/", False),
        ("https://notbelow.example/", False),
        ("https://mirror.example.evil.example/", False),
        ("https://evil.example/mirror.example/", False),
        ("https://mirror.example@evil.example/", False),
        ("https://[2001:db8::1]/", True),
        ("https://[2001:db8::1]:5000/", False),
        ("https://[nonsense/", False),
        ("mirror.example", False),
    ],
)
def test_the_list_of_hosts(path: Path, mirror: str, *, listed: bool) -> None:
    path.write_text(FULL)
    limits = adminconfig.read(path)
    assert limits.admits(mirror) is limits.admits(mirror, "ghcr.io") is listed
    assert DEFAULT.admits(mirror)


def test_lists_by_registry(path: Path) -> None:
    path.write_text(
        "allowed-mirrors:\n  docker.io: [hub.example]\n  ghcr.io: []\n  '*': [any.example]\n"
    )
    limits = adminconfig.read(path)
    hub, other = "https://hub.example/", "https://any.example/"
    assert (limits.admits(hub), limits.admits(other)) == (True, False)
    assert (limits.admits(hub, "ghcr.io"), limits.admits(other, "ghcr.io")) == (False, False)
    assert (limits.admits(hub, "quay.io"), limits.admits(other, "quay.io")) == (False, True)
    path.write_text("allowed-mirrors: {docker.io: [hub.example]}")
    assert adminconfig.read(path).admits(hub)
    assert not adminconfig.read(path).admits(hub, "quay.io")


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("idle-second: 3", 1, "'idle-second' is not one of"),
        ("\nidle-seconds: 0", 2, "idle-seconds: '0'"),
        ("idle-seconds: 1e3", 1, "idle-seconds"),
        ("default-source: Up", 1, "default-source: 'Up'"),
        ("allowed-sources: [a]\ndefault-source: b", 2, "not among allowed-sources"),
        ("allowed-sources: []", 1, "at least one source"),
        ("allowed-sources:\n- a\n- {b: c}", 3, "a text is expected"),
        ("allowed-mirrors:\n- ok.example\n- https://m.example/", 3, "is not a valid host"),
        ("allowed-mirrors: {ghcr.io: {a: b}}", 1, "a list is expected"),
        ("allowed-mirrors: {a: b}", 1, "'a' is not a valid name of a registry"),
        ("allowed-mirrors:\n  GHCR.io: []", 2, "Write the name in lowercase"),
        ("allowed-mirrors: {index.docker.io: []}", 1, "as 'docker.io'"),
        ("a:\tb: c", 1, ""),
        ("- a", 1, "a list is not allowed"),
    ],
)
def test_problems_name_line_and_key(path: Path, content: str, line: int, reason: str) -> None:
    path.write_text(content)
    with pytest.raises(Malformed) as caught:
        adminconfig.read(path)
    assert f"line {line}: " in str(caught.value)
    assert reason in str(caught.value)
    assert caught.value.reason.id, "clients translate it"


def test_the_last_valid_limits_survive_a_restart(file: LimitsFile, path: Path) -> None:
    path.write_text(FULL)
    good = file.current()
    path.write_text(FULL + "oops")
    assert file.current() == good
    assert "line 1" in str(file.problem)
    assert '"file-line"' in json.dumps(file.problem.to_plain()), "clients translate the reason"
    assert "stay in force" in str(file.problem)
    assert LimitsFile(path, path.with_name("good")).current() == good
    path.unlink()
    assert file.current() == DEFAULT
    assert not file.problem
    assert not path.with_name("good").exists(), "what was removed does not come back"


def test_a_file_that_never_was_good_lists_no_mirror(file: LimitsFile, path: Path) -> None:
    path.write_text("oops")
    assert not file.current().admits("https://mirror.example/")
    assert file.current().allows("official")
    assert "set-mirror-insecure" in str(file.problem)


def test_sources() -> None:
    config = Limits(allowed_sources=("aliyun",))
    config.check(parse_options(Kind.INSTALL, {"source": "aliyun"}))
    config.check(parse_options(Kind.INSTALL, {"repo-url": "https://r.example/"}))
    config.check(parse_options(Kind.UNINSTALL, {}))
    for kind in (Kind.INSTALL, Kind.LIST_VERSIONS):
        with pytest.raises(AccessDenied, match="allows aliyun"):
            config.check(parse_options(kind, {"source": "aliyun,tuna"}))


def test_mirror_watch(path: Path) -> None:
    path.write_text("mirror-watch: {every: 6h, registries: [ghcr.io, docker.io]}\n")
    watch = MirrorWatch(6 * 3600, Choice.CONFIGURED, ("docker.io", "ghcr.io"))
    assert adminconfig.read(path).mirror_watch == watch
    assert DEFAULT.mirror_watch is None
    path.write_text(
        "allowed-mirrors: [a.example]\nmirror-watch: {every: 30min, choose-from: candidates}\n"
    )
    assert adminconfig.read(path).mirror_watch == MirrorWatch(1800, Choice.CANDIDATES)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "'every' is missing"),
        ("{}", "'every' is missing"),
        ("6h", "mapping"),
        ("{every: 6}", "'6' is not a time"),
        ("{every: 9min}", "'9min' is not a time"),
        ("{every: 8d}", "'8d' is not a time"),
        ("{every: 6h, each: 1}", "'each' is not one of"),
        ("{every: 6h, choose-from: all}", "'all' is not one of"),
        ("{every: 6h, choose-from: candidates}", "allowed-mirrors"),
        ("{every: 6h, registries: [../etc]}", "registry"),
    ],
)
def test_mirror_watch_that_is_not_valid(path: Path, value: str, reason: str) -> None:
    path.write_text(f"mirror-watch: {value}\n")
    with pytest.raises(Malformed, match=reason) as caught:
        adminconfig.read(path)
    assert caught.value.reason.id, "clients translate it"


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_hidden_file_does_not_lift_the_limits(
    file: LimitsFile, path: Path, is_folder: bool
) -> None:
    """A link into /root leads nowhere in the sandbox of the daemon."""
    target = path.parent / "hidden" / "dockmgrd.yaml"
    if is_folder:
        path.parent.joinpath("own").symlink_to(target.parent)
        path = path.parent / "own" / "dockmgrd.yaml"
        file = LimitsFile(path, path.parent.parent / "good")
    else:
        path.symlink_to(target)
    assert file.current().allowed_mirrors == {}
    assert "cannot be read" in str(file.problem)
    target.parent.mkdir()
    target.write_text("allowed-mirrors: [mirror.example]\n")
    assert list(file.current().allowed_mirrors or ()) != []
    assert not file.problem
    target.unlink()
    target.parent.rmdir()
    assert list(file.current().allowed_mirrors or ()) != [], "the last good ones hold"
    assert file.problem
