# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units work with the oldest systemd, and docs/hosts.md lists the settings that it lacks."""

from __future__ import annotations

import re
from pathlib import Path

from unit.packaging.targets import ROOT

_UNITS = {
    "daemon": (ROOT / "systemd/dockmgrd.service", ROOT / "systemd/restart.conf"),
    "job": (ROOT / "systemd/dockmgrd-job@.service",),
    "watch": (ROOT / "systemd/dockmgrd-mirror-watch.service",),
}
_KNOWN_TO_239 = """
    BusName CapabilityBoundingSet CollectMode Description DevicePolicy Documentation ExecStart
    IPAddressDeny KeyringMode KillMode LockPersonality MemoryDenyWriteExecute MemoryMax
    NoNewPrivileges NotifyAccess PrivateDevices PrivateNetwork PrivateTmp ProtectControlGroups
    ProtectHome ProtectKernelModules ProtectKernelTunables ProtectSystem RemoveIPC Restart
    RestartSec RestrictAddressFamilies RestrictNamespaces RestrictRealtime Slice
    StartLimitIntervalSec StateDirectory StateDirectoryMode SystemCallArchitectures
    SystemCallErrorNumber SystemCallFilter TasksMax TimeoutStartSec TimeoutStopSec Type UMask
    After WatchdogSec Wants
"""
_ROW = re.compile(r"^\| `(\w+)(?:=\w+)?` \| (2\d\d) \| ([^|]+) \| [^|]+ \|$", re.M)


def settings(*files: Path) -> set[str]:
    text = "".join(file.read_text() for file in files)
    return set(re.findall(r"^(\w+)=", text, re.M))


def test_settings_that_old_hosts_lack_are_documented() -> None:
    rows = {
        name: {unit for unit in _UNITS if re.search(rf"\b{unit}\b", units)}
        for name, _, units in _ROW.findall((ROOT / "docs/hosts.md").read_text())
    }
    used = {unit: settings(*files) - set(_KNOWN_TO_239.split()) for unit, files in _UNITS.items()}
    if "Type=exec" in _UNITS["job"][0].read_text():
        used["job"].add("Type")
    assert rows == {
        name: {unit for unit, names in used.items() if name in names}
        for name in set().union(*used.values())
    }


def test_a_daemon_that_cannot_start_is_not_restarted() -> None:
    """It exits with a status then. A start limit would refuse callers who come often instead."""
    unit = (ROOT / "systemd/dockmgrd.service").read_text()
    assert re.findall(r"^(?:Restart|StartLimitIntervalSec)=(.*)$", unit, re.M) == [
        "0",
        "on-abnormal",
    ]
