# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end of a process with its parent: prctl(2), which Python does not have."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_SHELL_SIGNAL_BASE = 128
# Loaded once: between fork and exec, no library can be loaded safely.
_prctl = ctypes.CDLL(None).prctl


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def outlive_parent() -> None:
    """Undo `die_with_parent`."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def make_child_setup() -> Callable[[], None]:
    """What a child calls between fork and exec, so that it does not outlive this process."""
    parent = os.getpid()

    def set_up() -> None:
        die_with_parent()
        if os.getppid() != parent:  # it ended before the kernel knew of the wish
            os._exit(_SHELL_SIGNAL_BASE + signal.SIGKILL)

    return set_up
