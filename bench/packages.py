# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installing, beside dnf's own command line on the same kind of host."""

from __future__ import annotations

from collections.abc import Iterator

from bed import layers, system
from bed.host import Host
from bed.suites import BOOKWORM
from bench.pairs import Comparison, compare, timed

PACKAGES = (
    "docker-ce",
    "docker-ce-cli",
    "containerd.io",
    "docker-buildx-plugin",
    "docker-compose-plugin",
    "docker-ce-rootless-extras",
)
_REPOSITORY = f"""[docker-ce-stable]
name=Docker CE Stable
baseurl=https://download.docker.com/linux/centos/9/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=file://{system.KEY_FILE}
"""


def measures() -> Iterator[Comparison]:
    """All figures of installing, as they are ready."""
    yield installing()


def installing() -> Comparison:
    """Install on a fresh host, with the metadata still to be fetched."""

    def ours() -> float:
        with Host(BOOKWORM, layers.ours(BOOKWORM)) as host:
            return timed(lambda: host.run("dockmgrctl", "install", "--quiet", timeout=300))

    def plain() -> float:
        with Host(BOOKWORM, layers.ours(BOOKWORM)) as host:
            host.write("/etc/yum.repos.d/docker-ce.repo", _REPOSITORY)

            def install() -> None:
                host.run("dnf", "-y", "install", *PACKAGES, timeout=300)
                host.run("systemctl", "enable", "--now", "docker.service")

            return timed(install)

    peer = "dnf -y install …; systemctl enable --now docker"
    return compare("install, cold", peer, ours, plain, runs=3)
