# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for descriptors, and for the signals that tell a command to stop."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal tells the command to stop; raised where it waits, and nowhere else."""

    def __init__(self, number: int) -> None:
        self.number = number


class _Received:
    """The signals that have come: Python writes their numbers to a pipe, which wakes who polls."""

    def __init__(self) -> None:
        self.descriptor = -1
        self.heeded: dict[int, Callable[[], None]] = {}

    def take(self) -> None:
        """Act on the first signal that has not been heard of yet.

        :raises Stopped: when it tells to stop.
        """
        with suppress(BlockingIOError):
            [number] = os.read(self.descriptor, 1)
            if number in _STOPPING:
                raise Stopped(number)
            self.heeded.get(number, _nothing)()


def _nothing() -> None:
    """What a signal does that only wakes."""


_received = _Received()


@contextmanager
def stoppable() -> Iterator[None]:
    """While it lasts, SIGINT, SIGTERM and SIGHUP make `readable` raise; ignored ones stay so."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    former = signal.set_wakeup_fd(write)
    handlers = {
        number: signal.signal(number, lambda *_: None)
        for number in _STOPPING
        if signal.getsignal(number) is not signal.SIG_IGN  # as nohup sets it
    }
    _received.descriptor = read
    try:
        yield
    finally:
        _received.descriptor = -1
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(former)
        os.close(read)
        os.close(write)


@contextmanager
def heeding(number: int, action: Callable[[], None]) -> Iterator[None]:
    """While it lasts, the signal makes `readable` call the action, and wait on."""
    former = signal.signal(number, lambda *_: None)
    _received.heeded[number] = action
    try:
        yield
    finally:
        del _received.heeded[number]
        signal.signal(number, former)


def stop_signals() -> tuple[int, Callable[[], None]]:
    """For who waits by other means: what can be read when a signal has come, and what to call then.

    That raises `Stopped` as `readable` does.
    """
    return _received.descriptor, _received.take


def readable(*descriptors: int, timeout: float | None = None) -> bool:
    """Wait until one of the descriptors can be read, or has ended; False when the time is over.

    :param timeout: seconds; None waits for as long as it takes.
    :raises Stopped: when the command is told to stop.
    """
    poller = select.poll()
    for descriptor in (*descriptors, _received.descriptor):
        if descriptor >= 0:
            poller.register(descriptor, select.POLLIN)
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = {found for found, _ in poller.poll(None if left is None else left * 1000)}
        if _received.descriptor in ready:
            _received.take()
        elif ready:
            return True
        elif left is not None and left <= 0:
            return False
