# SPDX-License-Identifier: LGPL-2.1-or-later
"""When nobody needs the daemon: no job, no open call, no caller still there, and silence."""

from __future__ import annotations

import asyncio
import os

from dockmgrd.bus.exports import Exports
from dockmgrd.daemon.jobs import Jobs
from dockmgrd.host.adminconfig import LimitsFile

SECONDS_VARIABLE = "DOCKMGRD_IDLE_SECONDS"
"""Environment variable for another time of silence, to try the daemon's end."""


class IdleWatch:
    """Knows whether something happened since it last looked."""

    def __init__(self, exports: Exports, jobs: Jobs, limits: LimitsFile) -> None:
        self._exports = exports
        self._jobs = jobs
        self._limits = limits

    async def wait(self) -> None:
        """Return when the daemon has been unneeded for the whole time of silence."""
        while True:
            for job in self._jobs.running:
                await job.ended.wait()
            answered = self._exports.calls_answered
            await asyncio.sleep(self._seconds())
            quiet = self._exports.calls_answered == answered and not self._exports.in_use
            if quiet and not self._jobs.running:
                return

    def _seconds(self) -> float:
        given = os.environ.get(SECONDS_VARIABLE)
        return float(given) if given else self._limits.current().idle_seconds
