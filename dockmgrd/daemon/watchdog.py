# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signs of life for systemd, sent by the event loop itself: a loop that hangs sends none."""

from __future__ import annotations

import asyncio
import os

from dockmgrd.sd import protocols

VARIABLE = "WATCHDOG_USEC"


async def feed() -> None:
    """Tell systemd that we live, twice in the time that it allows, where it asks for that."""
    interval = int(os.environ.get(VARIABLE, "0")) / 2_000_000
    while interval:
        protocols.notify("WATCHDOG=1")
        await asyncio.sleep(interval)
