# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who calls: the user as the bus knows it, and for the journal the unit as systemd knows it."""

from __future__ import annotations

import asyncio
import re

from dockmgrd import names
from dockmgrd.bus.client import Bus
from dockmgrd.bus.interface import Caller
from dockmgrd.daemon import audit
from dockmgrd.errors import AccessDenied, DockmgrError, RemoteError
from dockmgrd.host.systemd import SYSTEMD
from dockmgrd.messages import requests as messages

_SYSTEMD_TIMEOUT = 2.0
_ESCAPED = re.compile("_([0-9a-f]{2})")


class Callers:
    """Asks the bus, and systemd, about connections."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def find_uid(self, caller: Caller) -> int:
        """The user of the caller's connection, as the bus knows it.

        :raises AccessDenied: when the caller has left the bus.
        """
        try:
            [uid] = await self._bus.call_bus("GetConnectionUnixUser", "s", caller.sender)
        except RemoteError as error:
            raise AccessDenied(messages.CALLER_LEFT()) from error
        return int(uid)

    async def identify(self, caller: Caller) -> audit.Identity:
        """The caller as the journal names it. Raises as `uid`."""
        uid, pid = await asyncio.gather(self.find_uid(caller), self._pid(caller))
        answer: asyncio.Future[str] | None = None

        async def find_unit() -> str:
            nonlocal answer
            answer = answer or asyncio.ensure_future(self._unit(pid))
            return await answer

        return audit.Identity(uid, caller.sender, find_unit)

    async def _pid(self, caller: Caller) -> int:
        """The caller's process, 0 where that is not known.

        Not by GetConnectionCredentials: dbus-broker puts a descriptor into its reply, and closes a
        connection that does not take any.
        """
        try:
            [pid] = await self._bus.call_bus("GetConnectionUnixProcessID", "s", caller.sender)
        except RemoteError:
            return 0
        return int(pid)

    async def _unit(self, pid: int) -> str:
        """The system unit in which a process is: a session's scope, a service.

        The process id may be another's by then, and the unit is "" where there is no answer: good
        enough to find the culprit, and nothing is permitted by it.
        """
        if not pid:
            return ""
        try:
            [path] = await self._bus.call(
                SYSTEMD,
                "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager",
                "GetUnitByPID",
                "u",
                [pid],
                timeout=_SYSTEMD_TIMEOUT,
            )
        except DockmgrError:
            return ""
        return unit_of_path(path)


async def find_origin(identity: audit.Identity) -> str:
    """The part of dockmgrd that calls; "" for a user. Nothing is permitted by it."""
    if identity.uid != 0:
        return ""
    return names.MIRROR_WATCH if await identity.find_unit() == names.WATCH_UNIT else ""


def unit_of_path(path: str) -> str:
    """The name of the unit at one of systemd's object paths."""
    label = path.rpartition("/")[2]
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), label)
