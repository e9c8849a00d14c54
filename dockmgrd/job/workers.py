# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes of the package worker: one is started ahead, to load dnf while the job loads itself."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from dockmgrd.host.package_python import make_worker_command
from dockmgrd.paths import WORKER_TEMPORARY_VARIABLE

_COMMAND = make_worker_command()
_LINE_LIMIT = 16 << 20  # the outcome of a large transaction is one line
_KEPT_VARIABLES = ("PYTHONPATH", "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")


class Workers:
    """Starts workers, each of which does one request."""

    def __init__(self, temporary: Path | None = None) -> None:
        """:param temporary: the folder for temporary files of workers, in place of /tmp."""
        self._temporary = temporary
        self._ahead: asyncio.Task[Process] | None = None

    def start_ahead(self) -> None:
        """Start a worker in advance."""
        self._ahead = asyncio.ensure_future(self._start())

    async def take(self) -> Process:
        """A worker that waits for its request on standard input, and is the caller's to end."""
        ahead, self._ahead = self._ahead, None
        return await (ahead or self._start())

    async def _start(self) -> Process:
        environment = _make_environment()
        if self._temporary is not None:
            environment[WORKER_TEMPORARY_VARIABLE] = str(self._temporary)
        return await asyncio.create_subprocess_exec(
            *_COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            limit=_LINE_LIMIT,
            env=environment,
            cwd="/",
            umask=0o022,
            start_new_session=True,
        )

    async def close(self) -> None:
        """End the worker that nobody has needed."""
        if self._ahead is not None:
            process = await self.take()
            process.kill()
            await process.communicate()


def _make_environment() -> dict[str, str]:
    """Return the environment of dnf and of package scripts: nothing from the caller of the job."""
    kept = {
        name for name in os.environ if name.lower() in _KEPT_VARIABLES or name in _KEPT_VARIABLES
    }
    return {
        **{name: os.environ[name] for name in kept},
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
