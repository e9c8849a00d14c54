# SPDX-License-Identifier: LGPL-2.1-or-later
"""An interrupted build leaves a valid cache, and removals stay in their file system."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import debian
from bed.cache import Cache, Recipe
from bed.cgroup import ControlGroup
from bed.limits import HANG_TIMEOUT
from bed.shell import CommandError
from bed.suites import BOOKWORM, BULLSEYE
from bed.trees import TreeRemovalError, find_mounts, remove_tree

if TYPE_CHECKING:
    from bed.host import Host

TESTS = Path(__file__).parents[1]
RECIPE = Recipe("test-build", ("once",))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
STEPS = ("begun", "files", "proc", "bound", "background")

# A small build that does what mmdebstrap does: it fills a tree and mounts file systems in it.
# Before it is done it hangs, with a process in the background that would never end.
_BUILD = """
set -eu
echo begun
mkdir -p "$1/root/proc" "$1/root/etc" "$1/root/home with blank"
echo unfinished >"$1/root/etc/state"
echo files
mount -t proc proc "$1/root/proc"
echo proc
mount --bind "$2" "$1/root/home with blank"
echo bound
setsid sh -c 'while sleep 1; do echo more >>"$1/root/etc/state"; done' sh "$1" &
echo background
sleep infinity
"""
# A test during which something is built.
_TEST = """
import signal

from bed.cache import Recipe, shared

def seconds_left():
    return signal.getitimer(signal.ITIMER_REAL)[0]

def test_build():
    seen = []
    assert seconds_left() > 0
    outer, inner = Recipe("outer", ()), Recipe("inner", ())
    build_inner = lambda _: seen.append(seconds_left())
    build_outer = lambda _: (shared().provide(inner, build_inner), seen.append(seconds_left()))
    shared().provide(outer, build_outer)
    assert seen == [0, 0]
    assert seconds_left() > 0
"""
_BUILDER = f"""
import sys
from pathlib import Path
from bed.cache import Cache, Recipe
from bed.shell import checked

root, precious, private = sys.argv[1:]
Cache(Path(root)).provide(
    Recipe({RECIPE.name!r}, {RECIPE.inputs!r}),
    lambda directory: print(checked(
        ["sh", "-c", {_BUILD!r}, "sh", directory, precious],
        private=private == "private",
        on_line=lambda line: print(line, flush=True),
    )),
)
"""


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A directory of this machine with a file that must outlive every test."""
    directory = tmp_path / "precious"
    directory.mkdir()
    (directory / "file").write_text("precious")
    return directory


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    monkeypatch.setattr(logging.getLogger("bed"), "handlers", [])  # these builds interest nobody
    root = tmp_path / "cache"
    root.mkdir()
    cache = Cache(root)
    yield cache
    cache.release()
    for mount in reversed(find_mounts(root)):
        subprocess.run(["umount", "--lazy", mount], check=True)


def start_builder(cache: Cache, precious: Path, namespaces: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _BUILDER, cache.root, precious, namespaces],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def wait_for_step(builder: subprocess.Popen[str], step: str) -> None:
    assert builder.stdout is not None
    assert any(line == f"{step}\n" for line in builder.stdout), "the builder has ended"


def build_whole(directory: Path) -> None:
    (directory / "state").write_text("whole")


def build_group(cache: Cache) -> Path:
    root = cache.root.stat()
    name = f"build-{root.st_dev:x}-{root.st_ino:x}-{RECIPE.directory_name}"
    return ControlGroup.named(name).path


@pytest.mark.parametrize("namespaces", ["private", "shared"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_next_build_succeeds_after_an_interrupted_one(
    cache: Cache, precious: Path, number: signal.Signals, step: str, namespaces: str
) -> None:
    builder = start_builder(cache, precious, namespaces)
    wait_for_step(builder, step)
    builder.send_signal(number)
    builder.wait(HANG_TIMEOUT)

    path = cache.provide(RECIPE, build_whole)

    assert [entry.name for entry in path.iterdir()] == ["state"]
    assert (path / "state").read_text() == "whole"
    assert (precious / "file").read_text() == "precious"
    assert find_mounts(cache.root) == []
    assert not build_group(cache).exists(), "processes of the interrupted build still run"
    assert not list(cache.root.glob(".*"))
    assert builder.stdout is not None
    builder.stdout.close()


def test_cleaned_items_are_reported(
    cache: Cache, precious: Path, caplog: pytest.LogCaptureFixture
) -> None:
    builder = start_builder(cache, precious, "shared")
    wait_for_step(builder, "bound")
    builder.kill()
    builder.communicate()
    unfinished = cache.root / f".new-{RECIPE.directory_name}"
    assert [mount.name for mount in find_mounts(unfinished)] == ["proc", "home with blank"]

    with caplog.at_level(logging.INFO, "bed"):
        cache.provide(RECIPE, build_whole)

    for path in ("proc", "home with blank"):
        assert f"unmounted {unfinished}/root/{path}, which an interrupted build" in caplog.text
    assert f"{RECIPE.directory_name}: removed what an interrupted build left" in caplog.text


def test_a_mount_in_use_is_unmounted_as_well(cache: Cache, precious: Path) -> None:
    target = cache.root / "tree" / "home"
    target.mkdir(parents=True)
    subprocess.run(["mount", "--bind", precious, target], check=True)
    with (target / "file").open() as stream:
        remove_tree(cache.root / "tree")
        assert stream.read() == "precious"
    assert (precious / "file").exists()
    assert not (cache.root / "tree").exists()


def test_mounts_on_mounts_are_taken_off_one_by_one(cache: Cache, precious: Path) -> None:
    target = cache.root / "tree" / "home"
    target.mkdir(parents=True)
    for _ in range(2):
        subprocess.run(["mount", "--bind", precious, target], check=True)
    (precious / "below").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", target / "below"], check=True)
    remove_tree(cache.root / "tree")
    assert (precious / "file").exists()
    assert find_mounts(cache.root) == []


def test_a_link_is_removed_and_not_followed(cache: Cache, precious: Path) -> None:
    link = cache.root / "link"
    link.symlink_to(precious)
    remove_tree(link)
    assert (precious / "file").exists()
    assert not link.is_symlink()


def test_a_tree_of_another_root_is_not_removed(bare_host: Host) -> None:
    bare_host.run("mkdir", "/var/tmp/tree")
    with pytest.raises(TreeRemovalError, match="file system of this process"):
        remove_tree(bare_host.path("/var/tmp/tree"))
    assert bare_host.path("/var/tmp/tree").is_dir()


@pytest.mark.parametrize("finished", [True, False])
def test_an_interrupted_removal_leaves_no_half_item(
    cache: Cache, precious: Path, finished: bool
) -> None:
    path = cache.root / RECIPE.directory_name
    for prefix in (".old-", ".new-"):
        target = path.with_name(prefix + path.name) / "home"
        target.mkdir(parents=True)
        subprocess.run(["mount", "--bind", precious, target], check=True)
    if finished:
        path.mkdir()

    assert cache.clean() == []

    assert [entry.name for entry in cache.root.iterdir()] == ["locks"]
    assert (precious / "file").read_text() == "precious"


def test_items_in_use_are_not_removed(cache: Cache) -> None:
    path = cache.provide(RECIPE, build_whole)
    assert Cache(cache.root).clean() == [path.name]
    assert (path / "state").read_text() == "whole"


@pytest.mark.parametrize("more", [[], ["--numprocesses=1"]], ids=["alone", "xdist"])
def test_a_build_is_under_no_time_limit_and_shown(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "test_build.py").write_text(_TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "bed.building", "--timeout=1000", *more, tmp_path],
        env={
            **os.environ,
            "PYTHONPATH": f"{TESTS.parent}:{TESTS}",
            "DOCKMGRD_BED_CACHE": str(tmp_path / "cache"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for recipe in ("outer", "inner"):
        assert f"{Recipe(recipe, ()).directory_name}: built in" in done.stderr


def test_a_missing_suite_is_distinguished_from_a_failed_build(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "shared", lambda: cache)
    monkeypatch.setattr(debian, "mirror", lambda: "http://127.0.0.1:9/debian")
    with pytest.raises(debian.VanishedError, match=r"bullseye cannot .*127\.0\.0\.1:9"):
        debian.provide(BULLSEYE)
    with pytest.raises(CommandError, match="Failed to fetch"):
        debian.provide(BOOKWORM)
    monkeypatch.setattr(debian, "_mmdebstrap_options", lambda _: ["--nonsense"])
    with pytest.raises(CommandError, match="exit status"):
        debian.provide(BULLSEYE)
    assert find_mounts(cache.root) == []
