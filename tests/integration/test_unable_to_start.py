# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that cannot start, or keeps crashing, does not keep the host busy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.api import Api
from dockmgrd import names
from integration.waiting import until_logged

if TYPE_CHECKING:
    from bed.host import Host

ROOT = Path(__file__).parents[2]
MODULE = "/usr/lib/python3/dist-packages/dockmgrd/bus/fair_queue.py"
DROP_INS = "/run/systemd/system/dockmgrd.service.d"
_CRASHES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
_STATUS = (names.BUS_NAME, names.MANAGER_PATH, names.MANAGER_INTERFACE, "Status")


def shown(host: Host, name: str) -> str:
    """A property of the daemon's unit."""
    return host.run("systemctl", "show", "-P", name, "dockmgrd.service").stdout.strip()


@pytest.mark.suites("bookworm", "trixie")
def test_a_module_that_is_missing_is_not_waited_for(host: Host) -> None:
    host.run("systemctl", "stop", "dockmgrd.service")
    host.run("mv", MODULE, f"{MODULE}-away")
    # dbus-daemon waits 25 seconds for the name. dbus-broker sees that the unit has failed.
    call = host.run("busctl", "--system", "--timeout=300", "call", *_STATUS, check=False)
    assert call.returncode != 0
    assert shown(host, "ActiveState") == "failed"
    assert shown(host, "NRestarts") == "0"
    host.run("mv", f"{MODULE}-away", MODULE)
    assert Api(host).status()["installed"] is False, "the next call starts it"


@pytest.mark.suites("trixie", "forky")
def test_a_daemon_that_crashes_is_restarted_less_and_less_often(host: Host) -> None:
    """With the drop-in that the RPM has for systemd 254 and newer."""
    host.run("systemctl", "stop", "dockmgrd.service")
    host.write(f"{DROP_INS}/restart.conf", (ROOT / "systemd" / "restart.conf").read_text())
    host.write(
        f"{DROP_INS}/crash.conf",
        f"[Service]\nExecStart=\nExecStart=/usr/bin/python3 -IBc '{_CRASHES}'\n",
    )
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", "dockmgrd.service", check=False)
    until_logged(host, "restart counter is at 3", "UNIT=dockmgrd.service")
    delay = shown(host, "RestartUSecNext")
    assert delay not in ("", "1s"), "it waits longer each time"
    host.run("rm", f"{DROP_INS}/crash.conf")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "stop", "dockmgrd.service")
    assert Api(host).status()["installed"] is False
