# SPDX-License-Identifier: LGPL-2.1-or-later
"""What dockerd needs of the running kernel, looked at before anything is changed.

EL 10 has xt_addrtype in a package of its own, which nothing pulls in; without it dockerd ends as
soon as it sets up its first network.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import KernelModuleMissing
from dockmgrd.host import daemonjson

_MODULE = "xt_addrtype"
_PACKAGE = "kernel-modules-extra"
_MODULES = Path("/lib/modules")
_LOADED = Path("/sys/module")


async def require_modules() -> None:
    """See that the kernel has the modules with which dockerd sets up its network, or can load them.

    :raises KernelModuleMissing: naming the package that brings the one that is missing.
    """
    if _sets_no_rules() or await _is_there():
        return
    release = os.uname().release
    raise KernelModuleMissing(
        f"The kernel {release} has no module {_MODULE}, without which dockerd does not start; "
        f"'dnf install {_PACKAGE}-{release}' brings it, or where that is not to be had any more "
        f"'dnf install kernel {_PACKAGE}' and a reboot, then install again; nothing was changed."
    )


async def _is_there() -> bool:
    """True where it cannot be told, as in a container, which has no modules of its own."""
    folder = _MODULES / os.uname().release
    modprobe = shutil.which("modprobe", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if (_LOADED / _MODULE).exists() or not folder.is_dir() or modprobe is None:
        return True
    # It knows what is built in, too, and only tells whether there would be something to load.
    process = await asyncio.create_subprocess_exec(
        *(modprobe, "--dry-run", "--quiet", _MODULE),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait() == 0


def _sets_no_rules() -> bool:
    """Whether dockerd is told to leave iptables alone."""
    try:
        settings = daemonjson.parse(paths.DAEMON_JSON.read_bytes(), str(paths.DAEMON_JSON)).values
    except OSError:
        return False
    return settings.get("iptables") is False or settings.get("firewall-backend") == "nftables"
