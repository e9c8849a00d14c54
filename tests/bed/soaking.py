# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long a test goes on that gets better the longer it does: `make soak` sets DOCKMGRD_SOAK."""

from __future__ import annotations

import os

SOAKING = bool(os.environ.get("DOCKMGRD_SOAK"))


def rounds(usual: int, soaking: int) -> int:
    """Return how often to do it: `usual` in `make check`, `soaking` in `make soak`."""
    return soaking if SOAKING else usual
