# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed packages of Docker, for a process that does not load rpm's library."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from pathlib import Path

from dockmgrd.errors import TransactionFailed
from dockmgrd.host.filecache import Stamp, read_stamp
from dockmgrd.host.package_python import make_query_command
from dockmgrd.messages import packages as messages
from dockmgrd.messages.text import NOTHING, Text

logger = logging.getLogger(__name__)

_COMMAND = make_query_command()
_MAX_REASON = 500

# Where distributions have the database, and what it consists of with the backends of rpm.
_DATABASE = tuple(
    Path(folder, name)
    for folder in ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
    for name in ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db")
)


class InstalledPackages:
    """The installed packages, read again only when a file of the database has changed.

    One program at a time reads the database, and all callers wait for it: each reader touches the
    database's files, so several would make each other read again without end.
    """

    def __init__(self) -> None:
        self._stamp: Stamp = ()
        self._versions: Mapping[str, str] = {}
        self._reading: asyncio.Future[None] | None = None
        self.problem: Text = NOTHING
        """Why the database cannot be read; `NOTHING` when it can."""

    async def versions(self) -> Mapping[str, str]:
        """Name → version-release of each that is installed.

        :returns: what was read last, as long as the database cannot be read.
        """
        stamp = read_stamp(path for path in _DATABASE if os.path.exists(path))
        earlier = self._reading
        if earlier is not None and not earlier.done():
            await asyncio.shield(earlier)  # It may have read the database before the last change.
        # A database in another place has no stamp, so it is read each time.
        if not stamp or stamp != self._stamp:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.ensure_future(self._read(stamp))
            await asyncio.shield(self._reading)
        return self._versions

    async def require_versions(self) -> Mapping[str, str]:
        """As `versions`, for a caller that cannot do without.

        :raises TransactionFailed: as long as the database cannot be read.
        """
        versions = await self.versions()
        if self.problem:
            raise TransactionFailed(self.problem)
        return versions

    async def _read(self, stamp: Stamp) -> None:
        try:
            self._versions = await query_versions()
            self.problem = NOTHING
        except TransactionFailed as error:
            self.problem = error.text
            logger.warning("%s", error)
        self._stamp = stamp


async def query_versions() -> dict[str, str]:
    """Name → version-release, as a process of its own reads them from rpm's database.

    :raises TransactionFailed: with the last line that the process wrote to standard error.
    """
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd="/"
    )
    answer, errors = await process.communicate()
    if process.returncode != 0:
        lines = errors.decode("utf-8", "replace").split("\n")
        reason = next((line for line in reversed(lines) if line.strip()), "")
        text = messages.RPM_DATABASE_NOT_READ(
            reason=reason.strip(" .")[:_MAX_REASON] or f"exit status {process.returncode}"
        )
        raise TransactionFailed(text.with_remedy(messages.REBUILD_DATABASE(), "rpmdb --rebuilddb"))
    versions: dict[str, str] = json.loads(answer)
    return versions
