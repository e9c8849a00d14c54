# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every name that other programs know us by: bus, objects, actions, units, message ids."""

from __future__ import annotations

import re

BUS_NAME = "org.dockmgr1"
MANAGER_PATH = "/org/dockmgr1"
JOB_PATH_PREFIX = "/org/dockmgr1/job/"
MANAGER_INTERFACE = "org.dockmgr1.Manager"
JOB_INTERFACE = "org.dockmgr1.Job"
ERROR_PREFIX = "org.dockmgr1.Error."

DAEMON_UNIT = "dockmgrd.service"
MIRROR_WATCH = "mirror-watch"
"""The origin of the jobs of the mirror watch."""
WATCH_UNIT = "dockmgrd-mirror-watch.service"
WATCH_TIMER = "dockmgrd-mirror-watch.timer"
JOB_UNIT_PREFIX = "dockmgrd-job@"
DOCKER_UNIT = "docker.service"
DOCKER_SOCKET_UNIT = "docker.socket"
CONTAINERD_UNIT = "containerd.service"

ACTION_INSTALL = "org.dockmgr1.install"
ACTION_INSTALL_CUSTOM = "org.dockmgr1.install-custom"
ACTION_SET_MIRROR = "org.dockmgr1.set-mirror"
ACTION_SET_MIRROR_INSECURE = "org.dockmgr1.set-mirror-insecure"
ACTION_PROBE = "org.dockmgr1.probe"
ACTION_UNINSTALL = "org.dockmgr1.uninstall"
ACTION_PURGE_DATA = "org.dockmgr1.purge-data"
ACTION_CANCEL = "org.dockmgr1.cancel"
ACTION_MANAGE = "org.dockmgr1.manage"
ACTIONS = (
    ACTION_INSTALL,
    ACTION_INSTALL_CUSTOM,
    ACTION_SET_MIRROR,
    ACTION_SET_MIRROR_INSECURE,
    ACTION_PROBE,
    ACTION_UNINSTALL,
    ACTION_PURGE_DATA,
    ACTION_CANCEL,
    ACTION_MANAGE,
)

DOCKER_HUB = "docker.io"
"""The registry of images whose names say none."""

# Catalogue entries for these ids are in systemd/dockmgrd.catalog.
MESSAGE_JOB_STARTED = "70006dc31bbd4247a4f640e056823f6b"
MESSAGE_JOB_JOINED = "7610e3efea8f43d08813c8bb3aa9c610"
MESSAGE_JOB_DONE = "797006bf3f3e4af1ad1003529264146a"
MESSAGE_JOB_FAILED = "3ef3431eb7ef4f0280b1615a2c8236a1"
MESSAGE_JOB_CANCELLED = "c05853133878488f9c7ecd245f2ff9bb"
MESSAGE_JOB_INTERRUPTED = "9c01d2673cd64c549d556c65fa4cf29e"
MESSAGE_DENIED = "a7d9f92603eb47178ae58cbaf4d315b5"
MESSAGE_ALLOWED = "836acb04e4354f20a94c3cd0bdeec06e"
MESSAGE_INVALID = "7941957ba3f54d779b9b4b95a8927bbf"
MESSAGE_MIRRORS_REORDERED = "2b9f6c1d8e054a7f9d3e61c07a5b4f18"
MESSAGE_NO_MIRROR_WORKS = "e4c7d05a91b84f3c8a62f7d9130b6e25"
MESSAGE_INTERNAL_ERROR = "f5f198896f064f3ca0af24b2e7e3e265"


def job_unit(job_id: str) -> str:
    """The systemd unit that runs the job."""
    return f"{JOB_UNIT_PREFIX}{job_id}.service"


def job_path(job_id: str) -> str:
    """The object path of the job. Job ids are made of characters that a path may hold."""
    return JOB_PATH_PREFIX + job_id


def unit_path(unit: str) -> str:
    """Object path of a systemd unit: its name as sd_bus_path_encode(3) writes it."""
    return "/org/freedesktop/systemd1/unit/" + re.sub(r"^[0-9]|[^A-Za-z0-9]", _encode, unit)


def _encode(match: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in match[0].encode())
