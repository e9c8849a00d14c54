# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a host has: files, mounts, processes and units, and how two such views differ.

A view knows nothing of dockmgrd. Left out is what changes by itself, and what a package manager
keeps for itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bed.host import Host

# Runs on the host, and prints a view as JSON.
_LOOK = r"""
import glob, json, os, stat, subprocess, sys, time
skipped, names, units, mark = json.loads(sys.argv[1])
query = ["systemctl", "show", "--property=ActiveState,SubState", "docker.service"]
while b"activating" in subprocess.run(query, capture_output=True).stdout:
    time.sleep(0.1)  # systemd stops to restart it when it reaches its start limit.
files = {}
for folder, folders, others in os.walk("/"):
    folders[:] = [each for each in folders if os.path.join(folder, each) not in skipped]
    for name in folders + others:
        path = os.path.join(folder, name)
        try:
            status = os.lstat(path)
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
        except OSError:
            continue
        kind = [status.st_mode, status.st_uid, status.st_gid]
        regular = stat.S_ISREG(status.st_mode)
        content = [status.st_size, status.st_mtime_ns] if regular else [target]
        files[path] = [*kind, *content]
with open("/proc/self/mountinfo") as file:
    mounts = [line.split()[4] for line in file]
processes = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/comm") as file:
            name = file.read().strip()
        with open(f"/proc/{pid}/cgroup") as file:
            unit = file.read().strip().rpartition("/")[2]
    except OSError:
        continue
    if name in names:
        processes[pid] = [name, unit]
show = ["systemctl", "show", "--property=Id,ActiveState,UnitFileState", *units]
shown = subprocess.run(show, capture_output=True, text=True).stdout.strip().split("\n\n")
query = ["rpm", "-qa", "--queryformat", "%{NVRA}\\n[/%{=NVRA} %{FILENAMES}\\n]"]
packages = {}
for line in subprocess.run(query, capture_output=True, text=True).stdout.splitlines():
    package, _, path = line.lstrip("/").partition(" ")
    packages.setdefault(package, []).extend([path] if path else [])
marked = []
for path in filter(os.path.isfile, glob.glob("/etc/yum.repos.d/*")):
    with open(path) as file:
        marked += [path] if mark in file.read() else []
print(json.dumps([files, mounts, processes, sorted(shown), packages, bool(marked)]))
"""

FOREIGN_ADDRESS = "https://mine.bed.test/"
"""The address of the repository that others have written."""

_SKIPPED = (
    *("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/srv/bed"),
    *("/var/lib/dockmgrd", "/var/lib/rpm", "/usr/lib/sysimage", "/root/.rpmdb", "/var/lib/dnf"),
    *("/var/lib/systemd", "/usr/share/polkit-1", "/var/lib/private"),
)
_PROCESSES = ("dockerd", "containerd", "sleep")
_UNITS = ("docker.service", "docker.socket", "containerd.service")
# What engine and containerd delete themselves when they or containers start or stop. containerd
# collects content that no image of its metadata needs.
_EPHEMERAL = re.compile(
    r"/(tmp|runtimes|mounts|merged|rootfs|tmpmounts|netns|libnetwork|executor)(/|$)|/blobs/sha256/"
    r"|/io\.containerd\.(runtime|grpc)\.[^/]*/"
    r"|/overlay2/[^/]*-init|\.pid$|/containers/[^/]+/(hostname|hosts|resolv\.conf)"
)
_GROUP_OF_CONTAINER = re.compile(r"(docker-)?[0-9a-f]{64}(\.scope)?")


@dataclass(frozen=True)
class View:
    """A host at one moment."""

    files: Mapping[str, list[object]]
    """By path: mode, owner, group, and of regular files size and time of the last change."""
    mounts: tuple[str, ...]
    processes: Mapping[str, Sequence[str]]
    """By id: the name of an engine, or of what a container runs, and its control group."""
    units: Mapping[str, tuple[bool, str]]
    """Whether each unit is active, and the state of its file."""
    packages: Mapping[str, Sequence[str]]
    """The files of each package, by its name, version, release and architecture."""
    has_foreign_repository: bool
    """Whether a repository that others have written is in a file somewhere."""


def look(host: Host) -> View:
    request = json.dumps([_SKIPPED, _PROCESSES, _UNITS, FOREIGN_ADDRESS])
    output = host.run("/usr/bin/python3", "-IBc", _LOOK, request).stdout
    files, mounts, processes, shown, packages, marked = json.loads(output)
    units = {}
    for text in shown:
        values = dict(line.split("=", 1) for line in text.splitlines())
        units[values["Id"]] = (values["ActiveState"] == "active", values["UnitFileState"])
    return View(files, tuple(mounts), processes, units, packages, marked)


def find_lost(before: View, after: View, engine_folders: tuple[str, ...]) -> list[str]:
    """Return the paths that are gone or changed, but for what an engine itself changes.

    `engine_folders` are those in which engines and containerd work.
    """
    return sorted(
        path
        for path, facts in before.files.items()
        if after.files.get(path) != facts
        and not _is_work_of_engine(path, gone=path not in after.files, folders=engine_folders)
    )


def find_new(before: View, after: View, engine_folders: tuple[str, ...]) -> list[str]:
    """Return the paths that were not there before."""
    return sorted(
        path
        for path in after.files.keys() - before.files.keys()
        if not any(_is_below(path, folder) for folder in engine_folders)
    )


def find_lost_mounts(before: View, after: View) -> list[str]:
    """Return the mount points that are gone and that no container has had."""
    return sorted(
        point
        for point in set(before.mounts) - set(after.mounts)
        if not point.startswith("/run/") and not _EPHEMERAL.search(point)
    )


def _is_work_of_engine(path: str, *, gone: bool, folders: tuple[str, ...]) -> bool:
    inside = [folder for folder in folders if _is_below(path, folder)]
    if not inside or "/_data/" in path:
        return False
    return not gone or bool(_EPHEMERAL.search(path))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def find_containers(view: View) -> list[str]:
    """Return the processes that run in containers of Docker's."""
    return [
        pid for pid, (_, group) in view.processes.items() if _GROUP_OF_CONTAINER.fullmatch(group)
    ]


def find_ended(before: View, after: View) -> list[str]:
    """Return the processes that have ended, but for those of units that systemd keeps starting."""
    idle = [unit for unit, (active, _) in before.units.items() if not active]
    return [
        f"{name} {pid}"
        for pid, (name, unit) in before.processes.items()
        if pid not in after.processes and unit not in idle
    ]
