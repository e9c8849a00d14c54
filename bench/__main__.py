# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make bench`: what we take, beside the plain commands on the same host in the same run."""

from __future__ import annotations

import json
import sys

from bed import layers, system
from bed.host import Host
from bed.suites import BOOKWORM
from bench.pairs import HEADER, Comparison, compare, timed

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
MIRRORS = ("https://mirror.bed.test", "https://mirror2.bed.test")

# Runs on the host: median seconds of a call, over one connection that is open already.
_ROUND_TRIP = """
import asyncio, statistics, sys, time
from dockmgrd.bus import Bus

async def main():
    interface, member = sys.argv[1:]
    async with Bus() as bus:
        times = []
        for number in range(550):
            started = time.monotonic()
            await bus.call("org.dockmgr1", "/org/dockmgr1", interface, member)
            times.append(time.monotonic() - started)
        print(statistics.median(times[50:]))

asyncio.run(main())
"""


def main() -> int:
    print(HEADER, flush=True)
    for measure in (installing, setting_a_mirror, asking_for_status, starting_cold):
        print(measure().row(), flush=True)
    return 0


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


def setting_a_mirror() -> Comparison:
    """Change the mirrors of a running engine, against the way of the tutorials."""
    with Host(BOOKWORM, layers.docker(BOOKWORM)) as host:
        turn = [0]

        def ours() -> float:
            turn[0] += 1
            return timed(lambda: host.run("dockmgrctl", "set-mirror", MIRRORS[turn[0] % 2]))

        def tutorial() -> float:
            turn[0] += 1
            content = json.dumps({"registry-mirrors": [MIRRORS[turn[0] % 2]]})
            script = (
                f"echo '{content}' > /etc/docker/daemon.json; systemctl daemon-reload; "
                "systemctl reset-failed docker; systemctl restart docker; docker version"
            )
            return timed(lambda: host.run("sh", "-c", script))

        peer = "write, daemon-reload, restart, docker version"
        return compare("set-mirror", peer, ours, tutorial, runs=7)


def asking_for_status() -> Comparison:
    """Status over an open connection, against our own answer to Ping."""
    with Host(BOOKWORM, layers.docker(BOOKWORM)) as host:

        def round_trip(interface: str, member: str) -> float:
            command = ("/usr/bin/python3", "-IBc", _ROUND_TRIP, interface, member)
            return float(host.run(*command).stdout)

        return compare(
            "Status, round trip",
            "org.freedesktop.DBus.Peer.Ping",
            lambda: round_trip("org.dockmgr1.Manager", "Status"),
            lambda: round_trip("org.freedesktop.DBus.Peer", "Ping"),
            runs=5,
        )


def starting_cold() -> Comparison:
    """The first call, which starts the daemon, against Python with dbus-next alone."""
    with Host(BOOKWORM, layers.ours(BOOKWORM)) as host:
        call = ("busctl", "--system", "call", "org.dockmgr1", "/org/dockmgr1")

        def ours() -> float:
            host.run("systemctl", "stop", "dockmgrd.service")
            return timed(lambda: host.run(*call, "org.freedesktop.DBus.Peer", "Ping"))

        def bare() -> float:
            imports = "from dockmgrd.dbusnext import MessageBus"
            return timed(lambda: host.run("/usr/bin/python3", "-IBc", imports))

        return compare(
            "activation to the first reply", "python3 and dbus_next.aio", ours, bare, runs=7
        )


if __name__ == "__main__":
    sys.exit(main())
