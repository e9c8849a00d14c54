# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's comings and goings, and questions that wait for the next one to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from dockmgrd import names
from dockmgrd.bus import DBUS, DBUS_PATH, Bus, Match
from dockmgrd.errors import NoReply, ServiceUnknown

_SECONDS_WITHOUT_DAEMON = 90.0
"""Longer than systemd tries to start the daemon, and than an upgrade of its package takes."""
_SECONDS_BETWEEN_TRIES = 1.0

T = TypeVar("T")


class DaemonWatch:
    """Watches who owns the name of the service; `changed` is called when that is another."""

    def __init__(self, bus: Bus, changed: Callable[[], None]) -> None:
        self._bus = bus
        self._changed = changed
        self._owner_changed = asyncio.Event()
        self._severed = asyncio.Event()
        self._connection: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Watch from now on, until `stop`."""
        owners = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, names.BUS_NAME)
        await self._bus.subscribe(owners, lambda _: self._on_change())
        self._connection = asyncio.ensure_future(self._bus.wait_for_disconnect())
        self._connection.add_done_callback(self._on_severed)

    def stop(self) -> None:
        if self._connection is not None:
            self._connection.cancel()

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """The answer to a call that changes nothing, made again while there is no daemon.

        :raises ServiceUnknown, NoReply: when none comes back in time, or the bus is gone.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SECONDS_WITHOUT_DAEMON
        while not self._severed.is_set():
            self._owner_changed.clear()
            try:
                return await call()
            except (NoReply, ServiceUnknown):
                if loop.time() > deadline:
                    raise
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._owner_changed.wait(), _SECONDS_BETWEEN_TRIES)
        raise NoReply("The connection to the system bus ended.")

    def _on_change(self) -> None:
        self._owner_changed.set()
        self._changed()

    def _on_severed(self, connection: asyncio.Future[None]) -> None:
        if not connection.cancelled():
            connection.exception()
            self._severed.set()
            self._on_change()
