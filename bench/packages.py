# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installing, beside dnf's own command line on the same kind of host."""

from __future__ import annotations

from collections.abc import Iterator

from bed import layers, system
from bed.host import Host
from bed.suites import BOOKWORM
from bed.workers import install, use_source
from bench.hosts import boot_host
from bench.pairs import Comparison, compare, megabytes, timed
from dockmgrd.host.rpmdb import ENGINE, EXTRAS
from dockmgrd.worker.protocol import PROCEED, encode

_REPOSITORY = f"""[docker-ce-stable]
name=Docker CE Stable
baseurl=https://download.docker.com/linux/centos/9/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=file://{system.KEY_FILE}
"""


_ALLOWED = "allowed-sources: [official, aliyun, tuna, ustc]\n"
_PEER = "dnf -y install …; systemctl enable --now docker"
_INSTALL = ("dnf", "-y", "install", *ENGINE, *EXTRAS)

# Runs on the host: does the command with that input, and tells the most memory that it, or any
# process below it, had resident at a time: bytes.
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[2:], input=sys.argv[1], text=True, check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def measures() -> Iterator[Comparison]:
    """All figures of installing, as they are ready."""
    yield installing()
    yield installing_again()
    yield installing_from_fastest()
    yield memory()


def installing() -> Comparison:
    """Install on a fresh host, with the metadata still to be fetched."""

    def ours() -> float:
        with boot_host(layers.ours(BOOKWORM)) as host:
            return _ours(host)

    def plain() -> float:
        with boot_host(layers.ours(BOOKWORM)) as host:
            return _plain(host)

    return compare("install, cold", _PEER, ours, plain, runs=7)


def installing_again() -> Comparison:
    """Install on a host that has had Docker before: its dnf knows the metadata."""
    with boot_host(layers.ours(BOOKWORM)) as host:

        def ours() -> float:
            seconds = _ours(host)
            host.run("dockmgrctl", "uninstall", "--quiet", timeout=300)
            return seconds

        def plain() -> float:
            seconds = _plain(host)
            host.run("dockmgrctl", "uninstall", "--quiet", timeout=300)
            return seconds

        return compare("install, warm", _PEER, ours, plain, runs=7)


def installing_from_fastest() -> Comparison:
    """Install from the fastest source, beyond the seconds in which all are measured."""

    def fastest() -> float:
        with boot_host(layers.ours(BOOKWORM)) as host:
            host.write("/etc/dockmgrd/dockmgrd.yaml", _ALLOWED)
            # What this remembers is what an installation would measure first.
            host.run("dockmgrctl", "--json", "sources", "--probe")
            return _ours(host, "--source", "fastest")

    def named() -> float:
        with boot_host(layers.ours(BOOKWORM)) as host:
            host.write("/etc/dockmgrd/dockmgrd.yaml", _ALLOWED)
            # The daemon and the caches are as warm as there.
            host.run("dockmgrctl", "--json", "sources", "--probe")
            return _ours(host, "--source", "official")

    peer = "dockmgrctl install --source official"
    return compare("install, fastest once measured", peer, fastest, named, runs=7)


def memory() -> Comparison:
    """The most memory of the package worker, against dnf's own."""

    def peak(host: Host, request: str, *command: str) -> float:
        return float(host.run("python3", "-c", _PEAK, request, *command, timeout=300).stdout)

    def ours() -> float:
        with boot_host(layers.ours(BOOKWORM)) as host:
            use_source(host)
            request = encode(install()) + PROCEED * 2
            return peak(host, request.decode(), "python3", "-m", "dockmgrd.worker")

    def plain() -> float:
        with boot_host(layers.ours(BOOKWORM)) as host:
            host.write("/etc/yum.repos.d/docker-ce.repo", _REPOSITORY)
            return peak(host, "", *_INSTALL)

    return compare("memory, worker", " ".join(_INSTALL[:3]), ours, plain, runs=3, shown=megabytes)


def _ours(host: Host, *options: str) -> float:
    return timed(lambda: host.run("dockmgrctl", "install", "--quiet", *options, timeout=300))


def _plain(host: Host) -> float:
    host.write("/etc/yum.repos.d/docker-ce.repo", _REPOSITORY)

    def install_and_start() -> None:
        host.run(*_INSTALL, timeout=300)
        host.run("systemctl", "enable", "--now", "docker.service")

    return timed(install_and_start)
