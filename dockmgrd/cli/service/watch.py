# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's comings and goings, and questions that wait for the next one to answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from dockmgrd import names
from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match
from dockmgrd.errors import NoReply, ServiceUnknown

_SECONDS_WITHOUT_DAEMON = 90.0
"""Longer than systemd tries to start the daemon, and than an upgrade of its package takes."""
_SECONDS_BETWEEN_TRIES = 1.0

T = TypeVar("T")


class DaemonWatch:
    """Watches who owns the name of the service; `changed` is called when that is another."""

    def __init__(self, bus: Connection, changed: Callable[[], None]) -> None:
        self._bus = bus
        self._changed = changed
        self._owners_seen = 0
        owners = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, names.BUS_NAME)
        bus.subscribe(owners, lambda _: self._on_change())

    def ask(self, call: Callable[[], T]) -> T:
        """The answer to a call that changes nothing, made again while there is no daemon.

        :raises ServiceUnknown, NoReply: when none comes back in time, or the bus is gone.
        """
        deadline = time.monotonic() + _SECONDS_WITHOUT_DAEMON
        while True:
            seen = self._owners_seen
            try:
                return call()
            except (NoReply, ServiceUnknown):
                if self._bus.has_ended or time.monotonic() > deadline:
                    raise
            self._wait_for_change(seen)

    def _wait_for_change(self, seen: int) -> None:
        """Return when the owner is another than it was, or the next try is due."""
        due = time.monotonic() + _SECONDS_BETWEEN_TRIES
        while self._owners_seen == seen and (left := due - time.monotonic()) > 0:
            self._bus.process(left)

    def _on_change(self) -> None:
        self._owners_seen += 1
        self._changed()
