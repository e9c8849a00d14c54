# SPDX-License-Identifier: LGPL-2.1-or-later
"""Purging deletes the engine's data and nothing else, whatever lies or is mounted there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dockmgrd.errors import UnsafePath
from dockmgrd.job.packages import purge
from dockmgrd.job.packages.purge import Purge

CASES = "DOCKMGRD_MOUNT_CASE"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data-root with what an engine leaves in it."""
    root = tmp_path / "data" / "docker"
    (root / "overlay2/abc/diff/etc").mkdir(parents=True)
    (root / "overlay2/abc/diff/etc/passwd").write_bytes(b"x" * 5000)
    (root / "volumes/v/_data").mkdir(parents=True)
    (root / "image").mkdir()
    (root / "engine-id").write_text("id")
    (root / "100000.100000").mkdir()
    return root


def run(*paths: Path) -> dict[Path, int]:
    return dict(Purge(paths).run(lambda _fraction, _message: None))


def test_everything_goes_and_is_counted(root: Path) -> None:
    freed = run(root, root.parent / "containerd")
    assert not root.exists()
    assert root.parent.is_dir()
    assert set(freed) == {root}
    assert freed[root] >= 8192


def test_progress(root: Path) -> None:
    children = sorted(root.iterdir())
    seen: list[tuple[float, str]] = []
    Purge((root,)).run(lambda fraction, message: seen.append((fraction, message)))
    assert [fraction for fraction, _ in seen] == sorted(fraction for fraction, _ in seen)
    assert [message for _, message in seen] == [*map(str, children), str(root)]
    assert seen[0][0] == 0.0
    assert seen[-1][0] < 1.0


def test_links_inside_are_deleted_and_never_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("kept")
    (root / "volumes/folder-link").symlink_to(outside / "folder")
    (root / "volumes/file-link").symlink_to(outside / "file")
    (root / "tmp").symlink_to(outside)
    os.link(outside / "file", root / "image/hard-link")
    run(root)
    assert not root.exists()
    assert (outside / "file").read_text() == "kept"
    assert (outside / "folder").is_dir()


def test_a_file_with_another_name_elsewhere_frees_nothing(root: Path, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"x" * (1 << 20))
    os.link(big, root / "image/big")
    assert run(root)[root] < 1 << 20


@pytest.mark.parametrize("path", ["/", "/var", "var/lib/docker", "/var/lib/../lib", ""])
def test_a_path_that_is_none_of_a_data_root(path: str) -> None:
    with pytest.raises(UnsafePath, match="full path of a folder below"):
        Purge((Path(path),)).check()


def test_a_link_that_leads_elsewhere(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    for path in (link, link / "overlay2"):
        with pytest.raises(UnsafePath, match=f"a symbolic link leads to {root}"):
            Purge((path,)).check()
    with pytest.raises(UnsafePath):
        run(link)
    assert (root / "engine-id").exists()


@pytest.mark.parametrize("name", ["thesis.odt", ".ssh", "1000", "1.2.3"])
def test_a_folder_that_holds_more_than_dockers_data(root: Path, name: str) -> None:
    (root / name).write_text("kept")
    with pytest.raises(UnsafePath, match=f"{re.escape(name)} in it is not of Docker"):
        run(root)
    assert (root / "overlay2/abc/diff/etc/passwd").exists()


def test_one_unsafe_path_keeps_the_others_from_being_deleted(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/etc")
    with pytest.raises(UnsafePath):
        run(root, link)
    assert (root / "engine-id").exists()


def test_a_data_root_that_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(UnsafePath, match="it is no folder"):
        run(file)
    assert file.exists()


def test_what_is_not_there_is_passed_over(tmp_path: Path) -> None:
    assert run(tmp_path / "none" / "here") == {}


def test_what_a_purge_consists_of() -> None:
    default = purge.paths_of([], keep_config=False)
    assert Path("/var/lib/docker") in default
    assert Path("/var/lib/containerd") in default
    assert Path("/etc/docker") in default
    assert Path("/etc/docker") not in purge.paths_of([], keep_config=True)
    inside = Path("/var/lib/docker/100000.100000")
    assert purge.paths_of([inside, Path("/var/lib/docker")], keep_config=False) == default
    assert purge.paths_of([Path("/srv/docker")], keep_config=False)[0] == Path("/srv/docker")


# From here on with mounts: each test runs once more by itself, as root of mount and user
# namespaces of its own, so that nothing of it is seen outside.


def in_namespaces(test: Callable[[Path], None]) -> Callable[[Path, pytest.FixtureRequest], None]:
    def wrapper(root: Path, request: pytest.FixtureRequest) -> None:
        if os.environ.get(CASES) == request.node.name:
            test(root)
            return
        namespaces = ["--mount", "--propagation", "private"]
        if os.geteuid() != 0:
            namespaces = ["--user", "--map-root-user", *namespaces]
        again = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            request.node.nodeid,
        ]
        done = subprocess.run(
            ["unshare", *namespaces, *again],
            env={**os.environ, CASES: request.node.name},
            cwd=request.config.rootpath,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    wrapper.__name__ = test.__name__
    return wrapper


def mount(point: Path) -> Path:
    point.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", point], check=True)
    return point


@in_namespaces
def test_a_mount_point_is_emptied_and_stays(root: Path) -> None:
    mount(root)
    (root / "overlay2/x").mkdir(parents=True)
    assert set(run(root)) == {root}
    assert root.is_mount()
    assert os.listdir(root) == []
    assert run(root) == {}


@in_namespaces
def test_what_somebody_mounted_inside_is_not_touched(root: Path) -> None:
    for name in ("volumes/v/_data", "overlay2", "containers", "overlay2/a/b/merged", "netns"):
        point = mount(root / name)
        (point / "kept").touch()
        with pytest.raises(UnsafePath, match=f"{point} is mounted in it"):
            run(root)
        with pytest.raises(UnsafePath, match=f"{point} is mounted in it"):
            run(root.parent)
        assert (point / "kept").exists()
        assert (root / "engine-id").exists()
        subprocess.run(["umount", point], check=True)


@in_namespaces
def test_what_containers_left_mounted_is_unmounted(root: Path) -> None:
    mount(root / "overlay2/abc/merged")
    mount(root / "containers/abc/mounts/shm")
    mount(root / "rootfs/overlayfs/de f")
    subprocess.run(["mount", "--bind", root / "image", root / "image"], check=True)
    with pytest.raises(UnsafePath, match="image is mounted in it"):
        run(root)
    subprocess.run(["umount", root / "image"], check=True)
    # As older engines do it to keep their mounts to themselves.
    subprocess.run(["mount", "--bind", root / "overlay2", root / "overlay2"], check=True)
    run(root)
    assert not root.exists()
    assert str(root) not in Path("/proc/self/mountinfo").read_text()
