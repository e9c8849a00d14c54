# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which of Docker's packages are installed, by rpm's database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dockmgrd.forked import in_child

PACKAGES = (
    "docker-ce",
    "docker-ce-cli",
    "containerd.io",
    "docker-buildx-plugin",
    "docker-compose-plugin",
    "docker-ce-rootless-extras",
    "docker-model-plugin",
)

# Where distributions have the database, and what it consists of with the backends of rpm.
_FOLDERS = (Path("/var/lib/rpm"), Path("/usr/lib/sysimage/rpm"))
_FILES = ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db")


def installed_versions() -> dict[str, str]:
    """Name → version-release of each of `PACKAGES` that is installed."""
    # Imported when needed: rpm's library is dear to load.
    import rpm

    transaction = rpm.TransactionSet()
    versions = {
        header["name"]: f"{header['version']}-{header['release']}"
        for name in PACKAGES
        for header in transaction.dbMatch("name", name)
    }
    transaction.closeDB()
    return versions


class InstalledPackages:
    """The installed packages, read again only when a file of the database has changed.

    rpm's library is loaded in a child process: a daemon that waits would keep its memory.
    """

    def __init__(self) -> None:
        self._stamp: tuple[int, ...] = ()
        self._versions: Mapping[str, str] = {}

    async def versions(self) -> Mapping[str, str]:
        """Name → version-release of each that is installed."""
        stamp = _stamp()
        if not stamp or stamp != self._stamp:
            self._versions = await in_child(installed_versions)
            self._stamp = stamp
        return self._versions


def _stamp() -> tuple[int, ...]:
    """What changes when anything in the database does."""
    stamp: list[int] = []
    for path in (folder / name for folder in _FOLDERS for name in _FILES):
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        stamp += [status.st_mtime_ns, status.st_size, status.st_ino]
    return tuple(stamp)
