# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it takes to have the engine run: its unit enabled and started, and the kernel's modules."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockmgrd import names, paths
from dockmgrd.enums import Stage
from dockmgrd.errors import ConfigInvalid, KernelModuleMissing, ServiceFailed
from dockmgrd.host import atomicfile, daemonjson
from dockmgrd.host.engine_problems import describe_unmet_condition, is_condition_unmet
from dockmgrd.host.systemd import Systemd
from dockmgrd.job.context import JobContext
from dockmgrd.messages import packages as messages
from dockmgrd.options.packages import InstallOptions

_STATES_BEFORE_START = ("inactive", "failed")

# EL 10 has xt_addrtype in a package of its own, which nothing pulls in; without it dockerd exits
# as soon as it sets up its first network.
_MODULE = "xt_addrtype"
_MODULE_PACKAGE = "kernel-modules-extra"
_MODULES = Path("/lib/modules")
_LOADED_MODULES = Path("/sys/module")


async def start_engine(context: JobContext, options: InstallOptions) -> tuple[bool, bool]:
    """Enable and start docker.service as far as the options say.

    :returns: whether anything changed, and whether the service runs.
    :raises ServiceFailed: when it does not start, or cannot be enabled.
    """
    unit = await context.systemd.get_state(names.DOCKER_UNIT)
    to_enable = options.enable and unit.unit_file_state != "enabled"
    to_start = options.start and not unit.active
    if to_start:
        context.report(Stage.STARTING, 0.87, names.DOCKER_UNIT)
        await _start_unit(context.systemd, and_enable=to_enable)
        if await is_condition_unmet(context.systemd):
            raise ServiceFailed(describe_unmet_condition())
    elif to_enable:
        context.report(Stage.CONFIGURING, 0.85)
        await context.systemd.enable(names.DOCKER_UNIT)
    return to_enable or to_start, to_start or unit.active


async def _start_unit(systemd: Systemd, *, and_enable: bool) -> None:
    """Start the service, and enable it meanwhile.

    Enabling makes systemd read all its units again. That is done while the engine loads, which
    takes longer.
    """
    loading = asyncio.Event()

    def on_change(changed: Mapping[str, Any]) -> None:
        if changed.get("ActiveState", "inactive") not in _STATES_BEFORE_START:
            loading.set()

    for each in (names.DOCKER_SOCKET_UNIT, names.DOCKER_UNIT):
        await systemd.reset_failed(each)  # A start limit that was hit refuses this start, too.
    stop_watching = await systemd.watch(names.DOCKER_UNIT, on_change)
    start = asyncio.ensure_future(systemd.start(names.DOCKER_UNIT))
    start.add_done_callback(lambda _task: loading.set())
    try:
        await loading.wait()
        if and_enable:
            await systemd.enable(names.DOCKER_UNIT)
    finally:
        stop_watching()
        await start


async def require_kernel_modules() -> None:
    """Check that the kernel has, or can load, the modules that dockerd needs for its network.

    :raises KernelModuleMissing: naming the package that has the missing one.
    """
    if _leaves_firewall_alone() or await _has_module():
        return
    release = os.uname().release
    raise KernelModuleMissing(
        messages.KERNEL_MODULE_MISSING(release=release, module=_MODULE).with_remedy(
            messages.INSTALL_KERNEL_MODULES(package=_MODULE_PACKAGE),
            f"dnf install {_MODULE_PACKAGE}-{release}",
        )
    )


async def _has_module() -> bool:
    """Whether the module is loaded, built in or can be loaded.

    True where there is no way to find out, as in a container, which has no modules of its own.
    """
    folder = _MODULES / os.uname().release
    modprobe = shutil.which("modprobe", path="/usr/sbin:/sbin:/usr/bin:/bin")
    is_loaded = os.path.exists(_LOADED_MODULES / _MODULE)
    if is_loaded or not os.path.isdir(folder) or modprobe is None:
        return True
    # modprobe knows the modules that are built in, too.
    process = await asyncio.create_subprocess_exec(
        *(modprobe, "--dry-run", "--quiet", _MODULE),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait() == 0


def _leaves_firewall_alone() -> bool:
    """Whether daemon.json has dockerd set no iptables rules."""
    try:
        content = atomicfile.read(paths.DAEMON_JSON) or b""
        settings = daemonjson.parse(content, str(paths.DAEMON_JSON)).values
    except ConfigInvalid:
        return False
    return settings.get("iptables") is False or settings.get("firewall-backend") == "nftables"
