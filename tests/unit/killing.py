# SPDX-License-Identifier: LGPL-2.1-or-later
"""A child process that is killed at one of its system calls, chosen by number (ptrace(2))."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterator

_TRACE_ME = 0
_GO_TO_NEXT_STOP = 24  # PTRACE_SYSCALL: before a call, then after it
_SET_OPTIONS = 0x4200
_MARK_STOPS = 1  # PTRACE_O_TRACESYSGOOD
_DIE_WITH_TRACER = 0x100000  # PTRACE_O_EXITKILL
_MARKED = signal.SIGTRAP | 0x80

_libc = ctypes.CDLL(None, use_errno=True)


def killed_at_every_call(action: Callable[[], None]) -> Iterator[int]:
    """Run the action in a child that is killed at its first system call, then in one that is
    killed at the second, and so on until one lives to its end; the number of the call comes back
    after each.
    """
    number = 0
    while _killed(action, number):
        yield number
        number += 1


def _killed(action: Callable[[], None], number: int) -> bool:
    """Whether the child had so many calls to make."""
    child = os.fork()
    if child == 0:
        _be_traced(action)
    os.waitpid(child, 0)
    _ptrace(_SET_OPTIONS, child, _MARK_STOPS | _DIE_WITH_TRACER)
    calls, before = 0, True
    while True:
        _ptrace(_GO_TO_NEXT_STOP, child)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the action failed in the child"
            return False
        if os.WSTOPSIG(status) != _MARKED:
            continue
        if before and calls == number:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        calls, before = calls + before, not before


def _be_traced(action: Callable[[], None]) -> None:
    """Run the action as the traced child, and never return."""
    code = 1
    try:
        _ptrace(_TRACE_ME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        action()
        code = 0
    finally:
        # Not os._exit: `make coverage` puts one in its place that makes hundreds of calls.
        _libc._exit(code)


def _ptrace(request: int, process: int, data: int = 0) -> None:
    if _libc.ptrace(request, process, None, ctypes.c_void_p(data)) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
