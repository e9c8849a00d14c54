# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two ways to do one thing, timed in turn, so that the ratio holds while the machine drifts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def megabytes(value: float) -> str:
    return f"{value / (1 << 20):.1f} MiB"


@dataclass(frozen=True)
class Comparison:
    """What ours takes and what the peer does, run by run: seconds, or bytes."""

    what: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    shown: Callable[[float], str] = _seconds

    @property
    def ratio(self) -> float:
        """Median of ours / theirs, pair by pair."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs))

    def row(self) -> str:
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return (
            f"{self.what:<34} {self.shown(ours):>10} {self.shown(theirs):>10} {self.ratio:>7.2f}"
            f"  {len(self.ours):>4}  {self.peer}"
        )


HEADER = f"{'what':<34} {'ours':>10} {'peer':>10} {'ratio':>7}  {'runs':>4}  peer"


def compare(
    what: str,
    peer: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    runs: int,
    shown: Callable[[float], str] = _seconds,
) -> Comparison:
    """Run the two in turn; each returns its seconds. One pair before is not counted."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Comparison(what, peer, tuple(a for a, _ in pairs), tuple(b for _, b in pairs), shown)


def timed(action: Callable[[], object]) -> float:
    """Seconds that the action takes."""
    started = time.monotonic()
    action()
    return time.monotonic() - started
