# SPDX-License-Identifier: LGPL-2.1-or-later
"""Following a job to its end, whatever becomes of the daemon in between.

The job runs in a unit of its own. A daemon that is restarted or killed finds it again, so what
counts is what the daemon says of the job when asked; signals and Wait() only tell when to ask.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from dockmgrd import names
from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.dbusnext import Message
from dockmgrd.bus.messages import DBUS, DBUS_PATH, PROPERTIES, Match
from dockmgrd.bus.router import Pending
from dockmgrd.bus.variants import to_plain
from dockmgrd.cli.service.client import Client
from dockmgrd.cli.service.jobs import JobRecord
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


class Follower:
    """Follows the job at `path`; `moved` is called with it whenever it is told to have moved."""

    def __init__(self, client: Client, path: str, moved: Callable[[JobRecord], None]) -> None:
        self._client = client
        self._path = path
        self._moved = moved
        self._properties: dict[str, Any] = {}
        self._news = False
        self._waiting: Pending | None = None
        self._heard = False

    def end(self) -> JobRecord:
        """The job when it has ended.

        :raises UnknownObject: when the service does not know the job.
        :raises ServiceUnknown, NoReply: when the service stays away, or the bus is gone.
        """
        # Subscribed first, so that nothing that happens after the reading goes unheard.
        changes = Match(
            names.BUS_NAME, PROPERTIES, "PropertiesChanged", self._path, names.JOB_INTERFACE
        )
        self._client.bus.subscribe(changes, self._on_change)
        watch = DaemonWatch(self._client.bus, self._on_daemon_changed)
        try:
            return self._until_ended(watch)
        except (NoReply, ServiceUnknown) as error:
            unit = names.job_unit(self._path[len(names.JOB_PATH_PREFIX) :])
            raise type(error)(
                f"{error.message.rstrip('.')}; the job goes on, 'systemctl status {unit}' shows it."
            ) from error
        finally:
            self._stop_waiting()

    def _until_ended(self, watch: DaemonWatch) -> JobRecord:
        while True:
            self._news = False
            self._properties = watch.ask(lambda: self._client.job_properties(self._path))
            job = JobRecord.from_properties(self._properties)
            self._moved(job)
            if not job.running:
                return job
            # Once per daemon: a Wait that was refused would be refused again.
            if self._waiting is None:
                self._waiting, self._heard = self._client.begin_wait(self._path), False
            # Its reply may have come with another's.
            while not (self._news or self._wait_is_over()):
                self._client.bus.process()

    def _wait_is_over(self) -> bool:
        """Whether Wait() has been replied to, which is said once: the reading tells the rest."""
        over = self._waiting is not None and self._waiting.reply is not None and not self._heard
        self._heard = self._heard or over
        return over

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._client.bus.forget(self._waiting)
            self._waiting = None

    def _on_change(self, message: Message) -> None:
        if not self._properties:
            return  # The first reading is still to come, and tells this too.
        self._properties.update(to_plain(message.body[1]))
        job = JobRecord.from_properties(self._properties)
        if job.running:
            self._moved(job)
        else:
            self._news = True

    def _on_daemon_changed(self) -> None:
        self._stop_waiting()
        self._news = True
