# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registry mirrors: a change under a running engine, against the way of the tutorials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from bed import layers
from bed.host import Host
from bed.pings import pinged
from bed.suites import BOOKWORM
from bench.hosts import boot_host
from bench.pairs import Comparison, compare, timed

MIRRORS = ("https://mirror.bed.test", "https://mirror2.bed.test")
PEER = "write, daemon-reload, restart, docker version"
# A server that exits immediately on SIGTERM.
_SERVER = "trap exit TERM; while :; do sleep 0.1; done"


def measures() -> Iterator[Comparison]:
    yield setting_a_mirror(container=False)
    yield setting_a_mirror(container=True)
    yield time_without_an_answer()


def setting_a_mirror(*, container: bool) -> Comparison:
    """Change the mirrors of an engine that runs nothing, or a container.

    The tutorial's way ends the container; it is started again outside of the time taken.
    """
    with boot_host(layers.docker(BOOKWORM)) as host:
        if container:
            host.run("docker", "load", "-i", "/srv/bed/registry/tiny.tar")
            host.run("docker", "run", "--detach", "--name", "server", "tiny", "sh", "-c", _SERVER)
        ours, tutorial = _ways(host)

        def and_start_again() -> float:
            seconds = timed(tutorial)
            if container:
                host.run("docker", "start", "server")
            return seconds

        what = "set-mirror under a container" if container else "set-mirror, idle engine"
        return compare(what, PEER, lambda: timed(ours), and_start_again, runs=7)


def time_without_an_answer() -> Comparison:
    """The longest time in which the engine does not answer, asked every 10 ms."""
    with boot_host(layers.docker(BOOKWORM)) as host:
        ours, tutorial = _ways(host)

        def longest(change: Callable[[], object]) -> float:
            with pinged(host) as pings:
                change()
            return pings.longest

        what = "longest time without an answer"
        return compare(what, PEER, lambda: longest(ours), lambda: longest(tutorial), runs=5)


def _ways(host: Host) -> tuple[Callable[[], object], Callable[[], object]]:
    """Ours and that of the tutorials: each call sets another mirror than the call before."""
    turn = [0]

    def next_mirror() -> str:
        turn[0] += 1
        return MIRRORS[turn[0] % 2]

    def tutorial() -> object:
        content = json.dumps({"registry-mirrors": [next_mirror()]})
        script = (
            f"echo '{content}' > /etc/docker/daemon.json; systemctl daemon-reload; "
            "systemctl reset-failed docker; systemctl restart docker; docker version"
        )
        return host.run("sh", "-c", script)

    return lambda: host.run("dockmgrctl", "set-mirror", next_mirror()), tutorial
