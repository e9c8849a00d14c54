# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine's service, enabled and started as far as asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dockmgrd import names
from dockmgrd.host.systemd import Systemd
from dockmgrd.job.context import JobContext
from dockmgrd.model import Stage
from dockmgrd.options import InstallOptions

_BEFORE_START = ("inactive", "failed")


async def bring_up(context: JobContext, options: InstallOptions) -> tuple[bool, bool]:
    """Enable and start the service as far as asked for.

    :returns: whether anything had to be done, and whether the service runs.
    :raises ServiceFailed: when it does not start, or cannot be enabled.
    """
    unit = await context.systemd.state(names.DOCKER_UNIT)
    to_enable = options.enable and unit.unit_file_state != "enabled"
    to_start = options.start and not unit.active
    if to_start:
        context.report(Stage.STARTING, 0.87, names.DOCKER_UNIT)
        await _start(context.systemd, and_enable=to_enable)
    elif to_enable:
        context.report(Stage.CONFIGURING, 0.85)
        await context.systemd.enable(names.DOCKER_UNIT)
    return to_enable or to_start, to_start or unit.active


async def _start(systemd: Systemd, *, and_enable: bool) -> None:
    """Start the service, and enable it meanwhile.

    Enabling has systemd read all its units again. It does so before it starts anything, or while
    the engine loads, which takes longer.
    """
    loading = asyncio.Event()

    def look(changed: Mapping[str, Any]) -> None:
        if changed.get("ActiveState", "inactive") not in _BEFORE_START:
            loading.set()

    stop_looking = await systemd.watch(names.DOCKER_UNIT, look)
    started = asyncio.ensure_future(systemd.start(names.DOCKER_UNIT))
    started.add_done_callback(lambda _task: loading.set())
    try:
        await loading.wait()
        if and_enable:
            await systemd.enable(names.DOCKER_UNIT)
    finally:
        stop_looking()
        await started
