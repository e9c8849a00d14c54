# SPDX-License-Identifier: LGPL-2.1-or-later
"""A purge deletes only the engine's data, regardless of other files and mounts."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.soaking import rounds
from dockmgrd.errors import UnsafePath, WriteFailed
from dockmgrd.job.packages import purge
from dockmgrd.job.packages.deletion import delete_tree
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
    (root / "volumes/v/_data/folder-link").symlink_to(outside / "folder")
    (root / "volumes/v/_data/file-link").symlink_to(outside / "file")
    (root / "overlay2/l").mkdir()
    (root / "overlay2/l/ABC").symlink_to(outside)
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
        with pytest.raises(UnsafePath, match=f"{link} is a symbolic link to {root}"):
            Purge((path,)).check()
    with pytest.raises(UnsafePath):
        run(link)
    assert (root / "engine-id").exists()


@pytest.mark.parametrize("name", ["thesis.odt", ".ssh", "1000", "1.2.3"])
def test_a_folder_that_holds_more_than_dockers_data(root: Path, name: str) -> None:
    (root / name).write_text("kept")
    with pytest.raises(UnsafePath, match=f"{re.escape(name)} in it does not belong to Docker"):
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
    with pytest.raises(UnsafePath, match="it is not a folder"):
        run(file)
    assert file.exists()


@pytest.mark.parametrize(
    "name",
    ["volumes", "overlay2", "image", "engine-id", "volumes/v", "volumes/v/_data", "1.1/volumes/v"],
)
def test_a_part_of_the_data_that_is_a_link(root: Path, tmp_path: Path, name: str) -> None:
    """The admin keeps that part elsewhere; a link by itself is not what should be deleted."""
    elsewhere = tmp_path / "elsewhere"
    link = root / name
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.exists():
        link.rename(elsewhere)
    else:
        elsewhere.mkdir()
    link.symlink_to(elsewhere)
    with pytest.raises(UnsafePath, match=f"{link} is a symbolic link to {elsewhere}"):
        run(root)
    assert link.is_symlink()
    assert elsewhere.exists()
    assert (root / "image").exists()


@pytest.mark.parametrize(
    ("mode", "owner", "child_owner", "safe"),
    [
        (0o755, 0, 0, True),
        (0o700, 0, 1000, True),
        (0o755, 1000, 0, False),
        (0o775, 0, 0, False),
        (0o757, 0, 0, False),
        (0o1777, 0, 0, True),
        (0o1777, 0, 1000, False),
        (0o1777, 1000, 0, False),
    ],
)
@pytest.mark.parametrize("depth", [0, 1])
def test_a_folder_on_the_way_that_others_can_change(
    root: Path, depth: int, mode: int, owner: int, child_owner: int, safe: bool
) -> None:
    """They could put something else in the place of the data root while it is deleted."""
    if depth and child_owner and safe:
        return  # That child is itself a folder on the way that its owner can change.
    child = [root, root.parent][depth]
    os.chown(child, child_owner, 0)
    os.chown(child.parent, owner, 0)
    child.parent.chmod(mode)
    if safe:
        run(root)
        assert not root.exists()
        return
    with pytest.raises(
        UnsafePath, match=f"users other than root can change {child.parent}"
    ) as caught:
        run(root)
    assert caught.value.text.args["path"] == str(root)
    assert (root / "overlay2/abc/diff/etc/passwd").exists()


def test_a_tree_that_is_deeper_than_a_process_has_descriptors(root: Path) -> None:
    depth, here = 1300, os.open(root / "overlay2", os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here))
        os.close(here)
        here = below
    os.close(here)
    open_before = len(os.listdir("/proc/self/fd"))
    assert run(root)[root] >= depth * 4096
    assert not root.exists()
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_a_file_with_an_attribute(root: Path) -> None:
    file = root / "overlay2/abc/diff/etc/passwd"
    if subprocess.run(["chattr", "+i", file], capture_output=True, check=False).returncode != 0:
        pytest.skip("the file system has no attributes")
    try:
        with pytest.raises(WriteFailed, match=f"{file} has the immutable or append-only") as caught:
            run(root)
    finally:
        subprocess.run(["chattr", "-i", file], check=True)
    assert caught.value.text.remedy is not None
    assert caught.value.text.remedy.command == f"chattr -i -a {file}"
    assert file.exists()
    run(root)


def test_an_attribute_of_the_folder(root: Path) -> None:
    folder = root / "overlay2/abc/diff/etc"
    if subprocess.run(["chattr", "+a", folder], capture_output=True, check=False).returncode != 0:
        pytest.skip("the file system has no attributes")
    try:
        with pytest.raises(WriteFailed, match=f"{folder} has the immutable or append-only"):
            run(root)
    finally:
        subprocess.run(["chattr", "-a", folder], check=True)


class Swapper(threading.Thread):
    """Exchanges a folder and a link to a victim's folder, as fast as the machine allows."""

    def __init__(self, folder: Path, link: Path) -> None:
        super().__init__()
        self.swaps = 0
        self._paths = (os.fsencode(folder), os.fsencode(link))
        self._stopped = threading.Event()

    def run(self) -> None:
        libc = ctypes.CDLL(None)
        folder, link = self._paths
        while not self._stopped.is_set():
            if libc.renameat2(_AT_FDCWD, folder, _AT_FDCWD, link, _RENAME_EXCHANGE) == 0:
                self.swaps += 1

    def stop(self) -> int:
        self._stopped.set()
        self.join()
        return self.swaps


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_TRIES = rounds(10, 200)


@pytest.mark.parametrize("swapped", [".", "volumes", "volumes/v", "overlay2/abc/diff/etc"])
def test_folders_that_become_links_meanwhile(root: Path, tmp_path: Path, swapped: str) -> None:
    """Whatever is at a name, only what was below the data root when it was checked is deleted."""
    victim = tmp_path / "victim"
    for name in ("volumes/db", "overlay2/abc/diff/etc", "image", "db", "_data"):
        (victim / name).mkdir(parents=True, exist_ok=True)
        (victim / name / "precious").write_text("kept")
    before = sorted(victim.rglob("*"))
    link, swaps, ends = tmp_path / "link", 0, []
    for attempt in range(_TRIES):
        shutil.rmtree(root, ignore_errors=True)
        if root.is_symlink():
            root.unlink()
        if link.is_symlink():
            link.unlink()
        else:
            shutil.rmtree(link, ignore_errors=True)
        for number in range(60):
            (root / f"volumes/v/_data/{number}/x").mkdir(parents=True)
            (root / f"overlay2/abc/diff/etc/{number}/x").mkdir(parents=True)
        link.symlink_to(victim)
        swapper = Swapper(root / swapped, link)
        swapper.start()
        try:
            run(root)
            ends.append("done")
        except (UnsafePath, WriteFailed) as error:
            ends.append(type(error).__name__)
        swaps += swapper.stop()
        assert sorted(victim.rglob("*")) == before, (attempt, ends)
    assert swaps > _TRIES, "the race took place"


def test_missing_files_are_ignored(tmp_path: Path) -> None:
    assert run(tmp_path / "none" / "here") == {}


def test_steps_of_a_purge() -> None:
    default = purge.list_paths([], keep_config=False)
    assert Path("/var/lib/docker") in default
    assert Path("/var/lib/containerd") in default
    assert Path("/etc/docker") in default
    assert Path("/etc/docker") not in purge.list_paths([], keep_config=True)
    inside = Path("/var/lib/docker/100000.100000")
    assert purge.list_paths([inside, Path("/var/lib/docker")], keep_config=False) == default
    assert purge.list_paths([Path("/srv/docker")], keep_config=False)[0] == Path("/srv/docker")


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
def test_a_mount_that_holds_more_than_dockers_data(root: Path) -> None:
    """A default folder may be a mount of a folder that somebody uses for other files, too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, usual in (
            ("DEFAULT_DATA_ROOT", ("overlay2", "lost+found")),
            ("CONTAINERD_DATA", ("io.containerd.metadata.v1.bolt", "tmpmounts")),
            ("CONFIGURATION", ("daemon.json", "key.json", "certs.d")),
        ):
            folder = mount(root.parent / name)
            patch.setattr(purge, name, folder)
            for each in (*usual, "thesis"):
                (folder / each).mkdir()
            with pytest.raises(UnsafePath, match="thesis"):
                run(folder)
            assert len(os.listdir(folder)) == len(usual) + 1
            (folder / "thesis").rmdir()
            assert set(run(folder)) == {folder}
            assert os.listdir(folder) == []
            subprocess.run(["umount", folder], check=True)
            (folder / "thesis").mkdir()
            run(folder)
            assert not folder.exists(), "what is no mount is the engine's alone"


@in_namespaces
def test_foreign_mounts_inside_are_kept(root: Path) -> None:
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
def test_mounts_of_containers_are_unmounted(root: Path) -> None:
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


@in_namespaces
def test_a_mount_that_comes_after_the_check_is_not_entered(root: Path) -> None:
    """A bind mount is on the same device: only the kernel's id of the mount tells it apart."""
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    for name, command in (
        ("overlay2/abc/diff/tmpfs", ["mount", "-t", "tmpfs", "tmpfs"]),
        ("volumes/v/_data/bind", ["mount", "--bind", str(outside)]),
    ):
        point = root / name
        point.mkdir(parents=True)
        subprocess.run([*command, point], check=True)
        (point / "kept").touch()
        folder = os.open(root.parent, os.O_RDONLY)
        try:
            with pytest.raises(WriteFailed, match=f"{point} could not be deleted: something is m"):
                delete_tree(folder, root.parent, root.name)
        finally:
            os.close(folder)
        assert (point / "kept").exists()
        subprocess.run(["umount", point], check=True)
    assert (outside / "kept").exists()
