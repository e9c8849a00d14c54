# SPDX-License-Identifier: LGPL-2.1-or-later
"""The number of rounds of a soak test: `make soak` sets DOCKMGRD_SOAK."""

from __future__ import annotations

import os

SOAKING = bool(os.environ.get("DOCKMGRD_SOAK"))


def rounds(usual: int, soaking: int) -> int:
    """Return how often to do it: `usual` in `make check`, `soaking` in `make soak`."""
    return soaking if SOAKING else usual
