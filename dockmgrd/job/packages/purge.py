# SPDX-License-Identifier: LGPL-2.1-or-later
"""Deleting the engine's data, and nothing that is not the engine's.

Every folder is looked at before anything is deleted, twice: when the job starts, and when the
engine is gone. What could lead elsewhere, or holds what the engine does not make, is refused.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.errors import UnsafePath, WriteFailed
from dockmgrd.job.packages import mounts

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
        """See that each may be deleted.

        :raises UnsafePath: naming the first that may not, and why.
        """
        for path in self.paths:
            _check(path)

    def run(self, progress: Callable[[float, str], None]) -> Mapping[Path, int]:
        """Delete them. Blocks, so call it in a thread.

        What containers have left mounted is unmounted first. A mount point is the admin's: it
        stays as an empty folder.

        :param progress: told the fraction done, 0 to 1, and the path at hand.
        :returns: the bytes freed by each path in which there was something.
        :raises UnsafePath: as `check`, before anything is deleted.
        :raises WriteFailed: when something cannot be deleted; the rest is still there.
        """
        for path in self.paths:
            mounts.unmount_leftovers(path)
        self.check()
        parts = [(path, part) for path in self.paths for part in _parts(path)]
        freed: dict[Path, int] = {}
        for position, (path, part) in enumerate(parts):
            progress(position / len(parts), str(part))
            try:
                freed[path] = freed.get(path, 0) + _delete(part)
            except OSError as error:
                raise WriteFailed(
                    f"{error.filename or part} could not be deleted: {error.strerror}; see what "
                    "uses it and run the uninstallation again."
                ) from error
        return freed


def _check(path: Path) -> None:
    if not path.is_absolute() or len(path.parts) < 3 or ".." in path.parts:
        raise _unsafe(path, "it is not the full path of a folder below another folder")
    if not os.path.lexists(path):
        return
    real = Path(os.path.realpath(path))
    if real != path:
        raise _unsafe(path, f"a symbolic link leads to {real}")
    foreign = mounts.find_foreign_mounts(path)
    if foreign:
        raise _unsafe(path, f"{foreign[0]} is mounted in it")
    if path not in (DEFAULT_DATA_ROOT, CONTAINERD_DATA, CONFIGURATION, *RUN_FILES):
        _check_content(path)


def _check_content(data_root: Path) -> None:
    """A folder of the admin's choice may hold more than Docker's data.

    :raises UnsafePath: when it does.
    """
    if not data_root.is_dir():
        raise _unsafe(data_root, "it is no folder")
    for name in sorted(os.listdir(data_root)):
        if name not in _OF_DOCKER and not _REMAPPED_ROOT.fullmatch(name):
            raise _unsafe(data_root, f"{name} in it is not of Docker")


def _unsafe(path: Path, reason: str) -> UnsafePath:
    return UnsafePath(
        f"{path} is not deleted because {reason}; nothing was purged, delete by hand what is to go "
        "and uninstall without purging."
    )


def _parts(path: Path) -> Iterator[Path]:
    """What to delete one after the other: what is in the folder, and then the folder."""
    if path.is_dir() and not path.is_symlink():
        yield from sorted(path.iterdir())
    if os.path.lexists(path) and not os.path.ismount(path):
        yield path


def _delete(path: Path) -> int:
    """Delete the file or tree without following any link; the bytes freed."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(path)
        return _freed_by(status)
    freed = 0
    for _, folders, files, descriptor in os.fwalk(path, topdown=False, onerror=_fail):
        for name in files:
            freed += _freed_by(os.stat(name, dir_fd=descriptor, follow_symlinks=False))
            os.unlink(name, dir_fd=descriptor)
        for name in folders:
            freed += _remove_folder(name, descriptor)
    os.rmdir(path)
    return freed + _freed_by(status)


def _remove_folder(name: str, parent: int) -> int:
    """Remove an empty folder, or a link to one, which the walk counts among the folders."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        os.unlink(name, dir_fd=parent)
    else:
        os.rmdir(name, dir_fd=parent)
    return _freed_by(status)


def _freed_by(status: os.stat_result) -> int:
    """Bytes on the disk that go with the last name of a file."""
    last = stat.S_ISDIR(status.st_mode) or status.st_nlink == 1
    return status.st_blocks * 512 if last else 0


def _fail(error: OSError) -> None:
    raise error


def paths_of(data_roots: Iterable[Path], *, keep_config: bool) -> tuple[Path, ...]:
    """Everything that a purge deletes, each once.

    :param data_roots: where the engine keeps, or is told to keep, its data.
    """
    configuration = () if keep_config else (CONFIGURATION,)
    every = (*data_roots, DEFAULT_DATA_ROOT, CONTAINERD_DATA, *configuration, *RUN_FILES)
    outermost = (path for path in every if not any(other in path.parents for other in every))
    return tuple(dict.fromkeys(outermost))
