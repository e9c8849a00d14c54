# SPDX-License-Identifier: LGPL-2.1-or-later
"""Versions of the engine, as people ask for them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST_SHOWN = 5


def nearest(present: Sequence[str], wanted: str) -> list[str]:
    """The versions that are nearest to the one asked for, in the order given.

    Near is what shares most numbers from the left, and then differs least in the next.
    """
    closest = sorted(present, key=lambda each: _distance(_numbers(each), _numbers(wanted)))
    kept = set(closest[:_MOST_SHOWN])
    return [each for each in present if each in kept]


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"[0-9]+", version.partition("-")[0])]


def _distance(one: list[int], other: list[int]) -> list[int]:
    length = max(len(one), len(other))
    padded = zip(one + [0] * (length - len(one)), other + [0] * (length - len(other)))
    return [abs(a - b) for a, b in padded]
