# SPDX-License-Identifier: LGPL-2.1-or-later
"""Following a job to its end, even if the daemon restarts meanwhile.

The job runs in a unit of its own. A daemon that is restarted or killed finds it again, so what
counts is what the daemon reports when asked; signals and Wait() only show when to ask.
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
from dockmgrd.messages import client as messages

_DAEMON_TIMEOUT = 90.0
"""Longer than systemd tries to start the daemon, and longer than an upgrade of its package."""
_RETRY_INTERVAL = 1.0

T = TypeVar("T")


class DaemonWatch:
    """Watches the owner of the service's name, and calls `on_change` when it is another one."""

    def __init__(self, bus: Connection, on_change: Callable[[], None]) -> None:
        self._bus = bus
        self._notify = on_change
        self._owners_seen = 0
        owners = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, names.BUS_NAME)
        bus.subscribe(owners, lambda _: self._on_change())

    def ask(self, call: Callable[[], T]) -> T:
        """Return the answer to a call that changes nothing, repeated while there is no daemon.

        :raises ServiceUnknown, NoReply: if none comes back in time, or the bus is gone.
        """
        deadline = time.monotonic() + _DAEMON_TIMEOUT
        while True:
            seen = self._owners_seen
            try:
                return call()
            except (NoReply, ServiceUnknown):
                if self._bus.has_ended or time.monotonic() > deadline:
                    raise
            self._wait_for_change(seen)

    def _wait_for_change(self, seen: int) -> None:
        """Return when the owner has changed, or the next attempt is due."""
        due = time.monotonic() + _RETRY_INTERVAL
        while self._owners_seen == seen and (left := due - time.monotonic()) > 0:
            self._bus.process(left)

    def _on_change(self) -> None:
        self._owners_seen += 1
        self._notify()


class Follower:
    """Follows the job at `path`, and calls `on_progress` with it when its properties change."""

    def __init__(self, client: Client, path: str, on_progress: Callable[[JobRecord], None]) -> None:
        self._client = client
        self._path = path
        self._on_progress = on_progress
        self._properties: dict[str, Any] = {}
        self._has_news = False
        self._waiting: Pending | None = None
        self._reply_seen = False

    def wait(self) -> JobRecord:
        """Return the job when it has ended.

        :raises UnknownObject: if the service does not know the job.
        :raises ServiceUnknown, NoReply: if the service stays away, or the bus is gone.
        """
        # Subscribe first, so that no change after the first reading is missed.
        changes = Match(
            names.BUS_NAME, PROPERTIES, "PropertiesChanged", self._path, names.JOB_INTERFACE
        )
        self._client.bus.subscribe(changes, self._on_change)
        watch = DaemonWatch(self._client.bus, self._on_daemon_changed)
        try:
            return self._wait_with(watch)
        except (NoReply, ServiceUnknown) as error:
            unit = names.job_unit(self._path[len(names.JOB_PATH_PREFIX) :])
            text = messages.STOPPED_FOLLOWING(reason=error.text, unit=unit)
            command = f"systemctl status {unit}"
            raise type(error)(text.with_remedy(messages.SEE_UNIT(), command)) from error
        finally:
            self._stop_waiting()

    def _wait_with(self, watch: DaemonWatch) -> JobRecord:
        while True:
            self._has_news = False
            self._properties = watch.ask(lambda: self._client.get_job_properties(self._path))
            job = JobRecord.from_properties(self._properties)
            self._on_progress(job)
            if not job.is_running:
                return job
            # Once per daemon: a Wait that was refused would be refused again.
            if self._waiting is None:
                self._waiting, self._reply_seen = self._client.begin_wait(self._path), False
            # Its reply may have come with another's.
            while not (self._has_news or self._has_wait_ended()):
                self._client.bus.process()

    def _has_wait_ended(self) -> bool:
        """Return True once after the reply to Wait(); a new reading shows the rest."""
        over = (
            self._waiting is not None and self._waiting.reply is not None and not self._reply_seen
        )
        self._reply_seen = self._reply_seen or over
        return over

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._client.bus.forget(self._waiting)
            self._waiting = None

    def _on_change(self, message: Message) -> None:
        if not self._properties:
            return  # The first reading is still to come, and includes this.
        self._properties.update(to_plain(message.body[1]))
        job = JobRecord.from_properties(self._properties)
        if job.is_running:
            self._on_progress(job)
        else:
            self._has_news = True

    def _on_daemon_changed(self) -> None:
        self._stop_waiting()
        self._has_news = True
