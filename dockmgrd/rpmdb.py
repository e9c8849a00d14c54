# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which of Docker's packages are installed, read from rpm's database when that has changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PACKAGES = (
    "docker-ce",
    "docker-ce-cli",
    "containerd.io",
    "docker-buildx-plugin",
    "docker-compose-plugin",
    "docker-ce-rootless-extras",
    "docker-model-plugin",
)


class InstalledPackages:
    """The installed packages of `PACKAGES`, cached for as long as rpm's files stay the same."""

    def __init__(self) -> None:
        self._stamp: tuple[int, ...] = ()
        self._versions: dict[str, str] = {}

    def versions(self) -> Mapping[str, str]:
        """Name → version-release of each that is installed; empty on a host without rpm."""
        # Imported when first asked: rpm's library is the dearest import of the daemon.
        import rpm

        stamp = _stamp(Path(rpm.expandMacro("%{_dbpath}")))
        if not stamp or stamp != self._stamp:
            transaction = rpm.TransactionSet()
            self._versions = {
                header["name"]: f"{header['version']}-{header['release']}"
                for name in PACKAGES
                for header in transaction.dbMatch("name", name)
            }
            transaction.closeDB()
            self._stamp = stamp
        return self._versions


def _stamp(folder: Path) -> tuple[int, ...]:
    """What changes when anything in the database does."""
    stamp: list[int] = []
    for name in ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db"):
        try:
            status = os.stat(folder / name)
        except FileNotFoundError:
            continue
        stamp += [status.st_mtime_ns, status.st_size, status.st_ino]
    return tuple(stamp)
