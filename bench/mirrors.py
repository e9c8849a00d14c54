# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changing the registry mirrors, beside the way that tutorials have."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bed import layers
from bed.host import Host
from bed.suites import BOOKWORM
from bench.pairs import Comparison, compare, timed

MIRRORS = ("https://mirror.bed.test", "https://mirror2.bed.test")


def measures() -> Iterator[Comparison]:
    """All figures of changing mirrors, as they are ready."""
    yield setting_a_mirror()


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
