# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for file descriptors, and for the signals that stop a command."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal stops the command; raised only where it waits."""

    def __init__(self, number: int) -> None:
        self.number = number


class _Received:
    """The signals that have arrived: Python writes their numbers to a pipe, which is polled."""

    def __init__(self) -> None:
        self.descriptor = -1
        self.handlers: dict[int, Callable[[], None]] = {}

    def take(self) -> None:
        """Handle the first signal that has not been handled yet.

        :raises Stopped: if it stops the command.
        """
        with suppress(BlockingIOError):
            [number] = os.read(self.descriptor, 1)
            if number in _STOPPING:
                raise Stopped(number)
            self.handlers.get(number, _do_nothing)()


def _do_nothing() -> None:
    """Handle a signal that only wakes the process."""


_received = _Received()


@contextmanager
def catch_signals() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP raise in `wait_until_readable`; ignored ones stay ignored."""
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
def on_signal(number: int, action: Callable[[], None]) -> Iterator[None]:
    """Let `wait_until_readable` call the action at this signal, and keep waiting."""
    former = signal.signal(number, lambda *_: None)
    _received.handlers[number] = action
    try:
        yield
    finally:
        del _received.handlers[number]
        signal.signal(number, former)


def get_signal_source() -> tuple[int, Callable[[], None]]:
    """Return a descriptor that can be read when a signal has arrived, and what to call then.

    It is for code that waits by other means; the call raises as `wait_until_readable`.
    """
    return _received.descriptor, _received.take


def wait_until_readable(*descriptors: int, timeout: float | None = None) -> bool:
    """Wait until one of the descriptors can be read, or has ended. Return False after the timeout.

    :param timeout: in seconds; None for no limit.
    :raises Stopped: if a signal stops the command.
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
