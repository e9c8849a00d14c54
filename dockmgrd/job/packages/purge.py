# SPDX-License-Identifier: LGPL-2.1-or-later
"""Deleting the engine's data, and nothing that is not the engine's.

Every path is checked twice: when the job starts, and when the engine is gone. Then it is held open,
so that what was checked is what is deleted. What could lead elsewhere, what others than root could
exchange, and what holds more than the engine makes is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.errors import WriteFailed
from dockmgrd.host.held_folders import OPEN_FOLDER
from dockmgrd.host.obstacles import find_obstacle
from dockmgrd.job.packages import mounts
from dockmgrd.job.packages.deletion import delete_tree
from dockmgrd.job.packages.tree import Root, make_unsafe_error, open_root
from dockmgrd.messages import packages as messages

DEFAULT_DATA_ROOT = Path("/var/lib/docker")
CONTAINERD_DATA = Path("/var/lib/containerd")
CONFIGURATION = Path("/etc/docker")
CONTAINERD_RUN_FILES = Path("/run/containerd")
RUN_FILES = (
    Path("/run/docker"),
    Path("/run/docker.sock"),
    Path("/run/docker.pid"),
    CONTAINERD_RUN_FILES,
)

# What dockerd makes in its data-root (moby: daemon, graphdrivers, libnetwork, volume, plugin).
_OF_DOCKER = frozenset(
    (
        "aufs",
        "btrfs",
        "builder",
        "buildkit",
        "containerd",
        "containers",
        "devicemapper",
        "engine-id",
        "fuse-overlayfs",
        "image",
        "lost+found",
        "network",
        "nuke-graph-directory.sh",
        "overlay",
        "overlay2",
        "plugins",
        "rootfs",
        "runtimes",
        "swarm",
        "tmp",
        "tmp-old",
        "trust",
        "vfs",
        "volumes",
        "zfs",
    )
)
_REMAPPED_ROOT = re.compile(r"[0-9]+\.[0-9]+")  # data-root of a user namespace: UID.GID
_OF_CONTAINERD = re.compile(r"io\.containerd\..*|tmpmounts|lost\+found")
_OF_CONFIGURATION = frozenset(("certs.d", "daemon.json", "key.json", "lost+found", "plugins"))

_ANY_NAME = "*"  # stands for whatever is in a folder


@dataclass(frozen=True)
class Purge:
    """The paths to delete. One that does not exist is passed over."""

    paths: tuple[Path, ...]

    def without(self, *paths: Path) -> Purge:
        """A purge that leaves these out."""
        return Purge(tuple(path for path in self.paths if path not in paths))

    def present(self) -> tuple[Path, ...]:
        """Those that exist, an empty folder that is a mount point not among them: it stays."""
        return tuple(
            path
            for path in self.paths
            if os.path.lexists(path) and not (os.path.ismount(path) and not os.listdir(path))
        )

    def check(self) -> None:
        """Check that each may be deleted.

        :raises UnsafePath, WriteFailed: naming the first that may or can not, and why.
        """
        with ExitStack() as held:
            self._open_all(held)

    def run(self, progress: Callable[[float, str], None]) -> Mapping[Path, int]:
        """Delete them. Blocks, so call it in a thread.

        What containers have left mounted is unmounted first. A mount point is the admin's: it
        stays as an empty folder.

        :param progress: takes the fraction done, 0 to 1, and the path at hand.
        :returns: the bytes freed by each path in which there was something.
        :raises UnsafePath: as `check`, before anything is deleted.
        :raises WriteFailed: when something cannot be deleted; the rest is still there.
        """
        self.check()
        for path in self.paths:
            mounts.unmount_leftovers(path)
        with ExitStack() as held:
            roots = self._open_all(held)
            parts = [(root, name) for root in roots for name in _list_parts(root)]
            freed: dict[Path, int] = {}
            for position, (root, name) in enumerate(parts):
                progress(position / len(parts), str(root.path / (name or "")))
                freed[root.path] = freed.get(root.path, 0) + _delete(root, name)
        return freed

    def _open_all(self, held: ExitStack) -> list[Root]:
        """Those that exist, checked and held open."""
        roots = [held.enter_context(_open_checked(path)) for path in self.paths]
        return [each for each in roots if each is not None]


@contextmanager
def _open_checked(path: Path) -> Iterator[Root | None]:
    if not path.is_absolute() or len(path.parts) < 3 or ".." in path.parts:
        raise make_unsafe_error(path, messages.CAUSE_NOT_A_FULL_PATH())
    with open_root(path) as root:
        if root is not None:
            _check(root)
        yield root


def _check(root: Root) -> None:
    """
    :raises UnsafePath: when the path holds what may not be deleted.
    :raises WriteFailed: when nothing in it can be deleted.
    """
    foreign = mounts.find_foreign_mounts(root.path)
    if foreign:
        raise make_unsafe_error(root.path, messages.CAUSE_MOUNT(point=str(foreign[0])))
    ours = root.path in (DEFAULT_DATA_ROOT, CONTAINERD_DATA, CONFIGURATION)
    if root.path not in RUN_FILES and (root.is_mount_point or not ours):
        _check_content(root)
    if root.path not in (CONFIGURATION, *RUN_FILES):
        _check_links(root)
    if root.list_names():
        obstacle = find_obstacle(root.path, root.path / _ANY_NAME)
        if obstacle is not None:
            raise WriteFailed(obstacle)


def _check_content(root: Root) -> None:
    """A folder or a mount of the admin's choice may hold more than Docker's data.

    :raises UnsafePath: when it does.
    """
    if root.folder is None:
        raise make_unsafe_error(root.path, messages.CAUSE_NOT_A_FOLDER())
    for name in root.list_names():
        if not _is_expected(root.path, name):
            raise make_unsafe_error(root.path, messages.CAUSE_FOREIGN_CONTENT(name=name))


def _is_expected(folder: Path, name: str) -> bool:
    """Whether the engine or containerd makes something of this name in the folder."""
    if folder == CONTAINERD_DATA:
        return bool(_OF_CONTAINERD.fullmatch(name))
    if folder == CONFIGURATION:
        return name in _OF_CONFIGURATION
    return name in _OF_DOCKER or bool(_REMAPPED_ROOT.fullmatch(name))


def _check_links(root: Root) -> None:
    """The engine makes no links here: one leads to where the admin keeps a part of the data.

    :raises UnsafePath: naming the first.
    """
    if root.folder is None:
        return
    for name in root.list_names():
        root.require_no_link(name)
    for volumes in ("volumes", *(f"{name}/volumes" for name in root.list_names())):
        for name in _list_folder(volumes, root.folder):
            root.require_no_link(volumes, name)
            root.require_no_link(volumes, name, "_data")


def _list_folder(name: str, parent: int) -> list[str]:
    """What is in the folder; nothing when it does not exist or is something else."""
    try:
        descriptor = os.open(name, OPEN_FOLDER, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        return sorted(os.listdir(descriptor))
    finally:
        os.close(descriptor)


def _list_parts(root: Root) -> Iterator[str | None]:
    """What to delete one after the other: what is in the folder, and then, as None, the folder."""
    yield from root.list_names()
    if not root.is_mount_point:
        yield None


def _delete(root: Root, name: str | None) -> int:
    if name is None:
        return delete_tree(root.parent, root.path.parent, root.path.name)
    assert root.folder is not None
    return delete_tree(root.folder, root.path, name)


def list_paths(data_roots: Iterable[Path], *, keep_config: bool) -> tuple[Path, ...]:
    """Everything that a purge deletes, each once.

    :param data_roots: where the engine keeps its data, or will by its configuration.
    """
    configuration = () if keep_config else (CONFIGURATION,)
    every = (*data_roots, DEFAULT_DATA_ROOT, CONTAINERD_DATA, *configuration, *RUN_FILES)
    outermost = (path for path in every if not any(other in path.parents for other in every))
    return tuple(dict.fromkeys(outermost))
