# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages to systemd and to the journal.

systemd-python sends them. Where this Python has none, as on EL 8, this module speaks the protocols
itself: sd_notify(3), and journald's native protocol.
"""

from __future__ import annotations

import array
import errno
import fcntl
import logging
import os
import socket
import traceback
from pathlib import Path

JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
# fcntl(2): F_ADD_SEALS, and the seals that journald requires: SEAL, SHRINK, GROW, WRITE.
_ADD_SEALS = 1033
_SEALS = 0x1 | 0x2 | 0x4 | 0x8
_TOO_LARGE = (errno.EMSGSIZE, errno.ENOBUFS)
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7


def notify(state: str) -> None:
    """Tell systemd the state of this service, such as READY=1, if systemd has started it."""
    try:
        import systemd.daemon
    except ModuleNotFoundError:
        send_state(state)
    else:
        systemd.daemon.notify(state)


def send_entry(*fields: str) -> None:
    """Send an entry to the journal.

    :param fields: each NAME=value.
    :raises OSError: when journald does not take it.
    """
    try:
        # What systemd.journal.send calls; the rest of that module is slow to load.
        from systemd._journal import sendv
    except ModuleNotFoundError:
        send_fields(*fields)
    else:
        sendv(*fields)


def make_journal_handler(identifier: str) -> logging.Handler:
    """A handler that sends the log to the journal.

    :param identifier: the name of the program there.
    """
    try:
        import systemd.journal
    except ModuleNotFoundError:
        return JournalHandler(identifier)
    handler: logging.Handler = systemd.journal.JournalHandler(SYSLOG_IDENTIFIER=identifier)
    return handler


def send_state(state: str) -> None:
    """Do what `notify` does, by the socket."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        _send(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def send_fields(*fields: str) -> None:
    """Do what `send_entry` does, by the socket."""
    payload = b"".join(_encode_field(*each.split("=", 1)) for each in fields)
    try:
        _send(payload, str(JOURNAL_SOCKET))
    except OSError as error:
        if error.errno not in _TOO_LARGE:
            raise
        _send_as_file(payload)


class JournalHandler(logging.Handler):
    """Sends records by the socket, with the fields that systemd.journal.JournalHandler has."""

    def __init__(self, identifier: str) -> None:
        """:param identifier: the name of the program in the journal."""
        super().__init__()
        self._identifier = identifier

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record; one that journald does not take goes to standard error."""
        fields = [
            f"MESSAGE={self.format(record)}",
            f"PRIORITY={_find_priority(record.levelno)}",
            f"SYSLOG_IDENTIFIER={self._identifier}",
            f"LOGGER={record.name}",
            f"THREAD_NAME={record.threadName}",
            f"PROCESS_NAME={record.processName}",
            f"CODE_FILE={record.pathname}",
            f"CODE_LINE={record.lineno}",
            f"CODE_FUNC={record.funcName}",
        ]
        if record.exc_info:
            fields.append("EXCEPTION_TEXT=" + "".join(traceback.format_exception(*record.exc_info)))
        try:
            send_fields(*fields)
        except OSError:
            self.handleError(record)


def _find_priority(level: int) -> int:
    """The priority of syslog for a level of `logging`."""
    return next((priority for least, priority in _PRIORITIES if level >= least), _DEBUG)


def _encode_field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"


def _send(payload: bytes, address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        connection.sendto(payload, address)


def _send_as_file(payload: bytes) -> None:
    """Send an entry that is too large for a datagram, as a sealed file in memory."""
    descriptor = os.memfd_create("journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "wb", buffering=0) as file:
        while payload:
            payload = payload[file.write(payload) :]
        fcntl.fcntl(file, _ADD_SEALS, _SEALS)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            connection.sendmsg([], [rights], 0, str(JOURNAL_SOCKET))
