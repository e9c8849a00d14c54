# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where things lie on a host, in one place."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _interfaces_dir() -> Path:
    """The interface files of the checkout we run from, or those that the RPM installed."""
    checkout = _PACKAGE.parent / "dbus"
    if os.path.isfile(checkout / "org.dockmgr1.Manager.xml"):
        return checkout
    return Path("/usr/share/dbus-1/interfaces")


INTERFACES = _interfaces_dir()
CATALOGUE = _PACKAGE / "catalog"

STATE = Path("/var/lib/dockmgrd")
JOBS = STATE / "jobs"
LOCK = STATE / "lock"
RUNTIME = Path("/run/dockmgrd")
SPARE_RESULTS = RUNTIME / "results"
"""Where a job leaves its result when its folder cannot hold it."""
MEASURED_SOURCES = STATE / "measured-sources.json"
LAST_GOOD_CONFIG = STATE / "dockmgrd.yaml"
WATCH_RECORD = STATE / "mirror-watch.json"
"""What the mirror watch has found."""
ADMIN_CONFIG = Path("/etc/dockmgrd/dockmgrd.yaml")
GENERATED_UNITS = Path("/run/systemd/generator")
ADMIN_SOURCES = Path("/etc/dockmgrd/sources.d")
ADMIN_MIRRORS = Path("/etc/dockmgrd/mirrors.d")

OS_RELEASE = Path("/etc/os-release")
MACHINE_ID = Path("/etc/machine-id")
DNF_CONFIG = Path("/etc/dnf/dnf.conf")
REPOSITORY = Path("/etc/yum.repos.d/docker-ce.repo")
DAEMON_JSON = Path("/etc/docker/daemon.json")
REGISTRY_CERTIFICATES = Path("/etc/docker/certs.d")
DOCKER_SOCKET = Path("/run/docker.sock")
DROP_INS = Path("/etc/systemd/system/docker.service.d")

WORKER_TEMPORARY_VARIABLE = "DOCKMGRD_TEMPORARY_FOLDER"
"""Environment variable of the package worker: the folder for its temporary files."""
