# SPDX-License-Identifier: LGPL-2.1-or-later
"""Docker's packages, and which of them are installed by rpm's database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from dockmgrd.host.forked import in_child

CONTAINERD = "containerd.io"
ENGINE = ("docker-ce", "docker-ce-cli", CONTAINERD)
"""What the engine does not run without."""
EXTRAS = ("docker-buildx-plugin", "docker-compose-plugin", "docker-ce-rootless-extras")
"""What Docker's own guide installs beside it."""
LEGACY_PACKAGES = (
    "docker",
    "docker-client",
    "docker-client-latest",
    "docker-common",
    "docker-latest",
    "docker-latest-logrotate",
    "docker-logrotate",
    "docker-selinux",
    "docker-engine-selinux",
    "docker-engine",
)
"""Docker under the names of older packages, which Uninstall removes, too."""
PACKAGES = (*ENGINE, *EXTRAS, "docker-model-plugin")
OF_ENGINE_VERSION = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")
"""Those whose version is the engine's."""

# Where distributions have the database, and what it consists of with the backends of rpm.
_FOLDERS = (Path("/var/lib/rpm"), Path("/usr/lib/sysimage/rpm"))
_FILES = ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db")


def installed_versions() -> dict[str, str]:
    """Name → version-release of each of `PACKAGES` that is installed."""
    # Imported here because rpm's library is expensive to load.
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

    rpm's library is loaded in a child process: a daemon that waits would keep its memory. There is
    one such child at a time, and all who ask meanwhile wait for it: each touches the database's
    files, so several would make each other read it again without end.
    """

    def __init__(self) -> None:
        self._stamp: tuple[int, ...] = ()
        self._versions: Mapping[str, str] = {}
        self._reading: asyncio.Future[None] | None = None

    async def versions(self) -> Mapping[str, str]:
        """Name → version-release of each that is installed."""
        stamp = _stamp()
        if not stamp or stamp != self._stamp:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.ensure_future(self._read(stamp))
            await asyncio.shield(self._reading)
        return self._versions

    async def _read(self, stamp: tuple[int, ...]) -> None:
        self._versions = await in_child(installed_versions)
        self._stamp = stamp


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
