# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a long build is doing, as one line for each step: item, seconds since the begin, step."""

from __future__ import annotations

import logging
import textwrap
import time
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)
_MMDEBSTRAP_STEP = "I: "
_MAX_WIDTH = 72


@dataclass(frozen=True)
class Steps:
    """The steps of the build of one item."""

    item: str
    _started: float = field(default_factory=time.monotonic)

    def show(self, step: str) -> None:
        """Log that the step begins now."""
        _log.info("%s: %4.0f s  %s", self.item, time.monotonic() - self._started, step)

    def read_line(self, line: str) -> None:
        """Show the step that a line of mmdebstrap's output announces, if it does."""
        if line.startswith(_MMDEBSTRAP_STEP):
            self.show(textwrap.shorten(line[len(_MMDEBSTRAP_STEP) :], _MAX_WIDTH))
