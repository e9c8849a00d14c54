# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an admin does on a host without dockmgrd."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bed import sites, system

if TYPE_CHECKING:
    from bed.host import Host
    from bed.suites import Suite

REPOSITORY_FILE = "/etc/yum.repos.d/docker-ce.repo"
DOCKER_CE = "docker-ce"


def repository(suite: Suite, host: str = sites.DOCKER, channel: str = "stable") -> str:
    """Return a repository file as an admin would write it."""
    prefix = sites.SITES[host].prefix
    return f"""\
[docker-ce-{channel}]
name=Docker
baseurl=https://{host}{prefix}/linux/{suite.trees[0]}/$basearch/{channel}
gpgcheck=1
gpgkey=file://{system.KEY_FILE}
"""


def install_docker(host: Host) -> None:
    """Add Docker's repository and install docker-ce, without starting it."""
    host.write(REPOSITORY_FILE, repository(host.suite))
    host.run("dnf", "-y", "install", DOCKER_CE)


def use_mirrors(host: Host, *mirrors: str) -> None:
    """Write a daemon.json with these registry mirrors and nothing else."""
    host.write("/etc/docker/daemon.json", json.dumps({"registry-mirrors": mirrors}))
