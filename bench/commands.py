# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl as a whole process, beside what admins know."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.pairs import Comparison, compare, timed
from bench.peers import host_with_peers

_RUNS = 21
_PASS = ("python3", "-c", "pass")


def measures() -> Iterator[Comparison]:
    with host_with_peers() as host:

        def process(*command: str) -> Callable[[], float]:
            return lambda: timed(lambda: host.run(*command))

        for ours, peer in (
            (("dockmgrctl", "status"), ("firewall-cmd", "--state")),
            (("dockmgrctl", "--help"), _PASS),
        ):
            yield compare(
                " ".join(ours), " ".join(peer), process(*ours), process(*peer), runs=_RUNS
            )
