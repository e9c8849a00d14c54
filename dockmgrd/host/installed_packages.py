# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed packages of Docker, for a process that does not load rpm's library."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from pathlib import Path

from dockmgrd.errors import Internal
from dockmgrd.host import rpmdb
from dockmgrd.host.filecache import Stamp, read_stamp

# -I: nothing from the environment or the current folder is loaded.
_COMMAND = (sys.executable, "-IB", rpmdb.__file__)

# Where distributions have the database, and what it consists of with the backends of rpm.
_FOLDERS = (Path("/var/lib/rpm"), Path("/usr/lib/sysimage/rpm"))
_FILES = ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db")


class InstalledPackages:
    """The installed packages, read again only when a file of the database has changed.

    One program at a time reads the database, and all callers wait for it: each reader touches the
    database's files, so several would make each other read again without end.
    """

    def __init__(self) -> None:
        self._stamp: Stamp | None = None
        self._versions: Mapping[str, str] = {}
        self._reading: asyncio.Future[None] | None = None

    async def versions(self) -> Mapping[str, str]:
        """Name → version-release of each that is installed.

        :raises Internal: when the database cannot be read. The journal has the reason.
        """
        files = [folder / name for folder in _FOLDERS for name in _FILES]
        stamp = read_stamp(files)
        # A database in another place shows no changes.
        if stamp != self._stamp or not any(path.exists() for path in files):
            if self._reading is None or self._reading.done():
                self._reading = asyncio.ensure_future(self._read(stamp))
            await asyncio.shield(self._reading)
        return self._versions

    async def _read(self, stamp: Stamp) -> None:
        self._versions = await query_versions()
        self._stamp = stamp


async def query_versions() -> dict[str, str]:
    """Name → version-release, as a process of its own reads them from rpm's database.

    :raises Internal: when it ends without an answer.
    """
    process = await asyncio.create_subprocess_exec(*_COMMAND, stdin=DEVNULL, stdout=PIPE, cwd="/")
    answer, _ = await process.communicate()
    if process.returncode != 0:
        raise Internal("A helper process ended without an answer; the journal tells more.")
    versions: dict[str, str] = json.loads(answer)
    return versions
