# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.freedesktop.LogControl1: `systemctl service-log-level dockmgrd debug` changes our logging."""

from __future__ import annotations

import logging
from typing import Any

from dockmgrd.bus.interface import ObjectInterface, get_caller
from dockmgrd.bus.introspection import parse
from dockmgrd.daemon.callers import Callers
from dockmgrd.errors import AccessDenied, InvalidArgs, PropertyReadOnly
from dockmgrd.messages import requests as messages

PATH = "/org/freedesktop/LogControl1"

_LEVELS = {
    "emerg": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "crit": logging.CRITICAL,
    "err": logging.ERROR,
    "warning": logging.WARNING,
    "notice": logging.INFO,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


class LogControlInterface(ObjectInterface):
    """Log level of the daemon, for everybody to read and for root to set (man page of the same)."""

    interface = parse(
        "".join(
            [
                '<node><interface name="org.freedesktop.LogControl1">',
                '<property name="LogLevel" type="s" access="readwrite"/>',
                '<property name="LogTarget" type="s" access="readwrite"/>',
                '<property name="SyslogIdentifier" type="s" access="read"/>',
                "</interface></node>",
            ]
        )
    )

    def __init__(self, callers: Callers) -> None:
        super().__init__(LogLevel="info", LogTarget="journal", SyslogIdentifier="dockmgrd")
        self._callers = callers

    async def set_property(self, name: str, value: Any) -> None:
        """Set the log level for root. The target is always the journal.

        :raises AccessDenied: for anybody but root.
        :raises InvalidArgs: for a level that syslog does not have.
        """
        if await self._callers.find_uid(get_caller()) != 0:
            raise AccessDenied(messages.ONLY_ROOT_SETS_LOG_LEVEL())
        if name != "LogLevel":
            raise PropertyReadOnly(messages.LOG_TARGET_IS_FIXED(name=name))
        if value not in _LEVELS:
            raise InvalidArgs(messages.LOG_LEVEL_UNKNOWN(levels=list(_LEVELS)))
        logging.getLogger().setLevel(_LEVELS[value])
        self.set_properties(LogLevel=value)
