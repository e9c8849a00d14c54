# SPDX-License-Identifier: LGPL-2.1-or-later
"""The system bus of another host, as `systemctl --host` reaches it.

ssh runs systemd-stdio-bridge(1) there, which joins its standard input and output with the bus.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.dbusnext import AuthError
from dockmgrd.cli.waiting import wait_until_readable
from dockmgrd.errors import HostUnreachable, NoReply, ServiceUnknown
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import Text

_BRIDGE = "systemd-stdio-bridge"
_WITH_PORT = re.compile(r"((?:[^@:]+@)?[^@:]+|.*\[[^\[\]]*\]):(\d{1,5})")
_BRACKETS = str.maketrans("", "", "[]")
_NOT_FOUND = 127
_END_TIMEOUT = 5.0
_KEEP_ALIVE = ("-o", "ServerAliveInterval=15")
"""The connection ends after three intervals without an answer of the host."""
_MAX_OUTPUT_BYTES = 64 << 10


def make_command(host: str, words: Sequence[str], *options: str) -> list[str]:
    """Return the command that runs a program on the host.

    :param host: [USER@]HOST[:PORT], as `arguments.parse` accepts it.
    :param words: the program and its arguments, already quoted for a shell.
    :param options: more options of ssh.
    """
    with_port = _WITH_PORT.fullmatch(host)
    name, port = (with_port[1], ("-p", with_port[2])) if with_port else (host, ())
    return ["ssh", "-x", *_KEEP_ALIVE, *options, *port, "--", name.translate(_BRACKETS), *words]


@contextmanager
def open_remote_connection(host: str, *, ask_password: bool) -> Iterator[Connection]:
    """Connect to the system bus of the host, and close the connection at the end.

    :param ask_password: whether ssh may prompt for a password.

    :raises HostUnreachable: if there is no connection, or if it breaks off meanwhile.
    """
    bridge = _Bridge(host, ask_password=ask_password)
    try:
        try:
            bus = Connection(
                lambda descriptor, timeout: wait_until_readable(descriptor, timeout=timeout),
                bridge=bridge.socket,
            )
        except (OSError, NoReply, AuthError) as error:
            raise bridge.make_error(_describe(host, error)) from error
        try:
            yield bus
        except (NoReply, ServiceUnknown) as error:
            if not bus.has_ended:
                raise
            raise bridge.make_error(messages.HOST_CONNECTION_ENDED(host=host)) from error
        finally:
            bus.close()
    finally:
        bridge.close()


def _describe(host: str, error: Exception) -> Text | None:
    """Return what the host has said in place of the bus, such as a greeting; None if nothing."""
    if isinstance(error, AuthError) and not isinstance(error.__cause__, EOFError):
        return messages.SSH_FAILED_BECAUSE(host=host, reason=str(error))
    return None


class _Bridge:
    """ssh and the bridge behind it. The user of `socket` closes it."""

    def __init__(self, host: str, *, ask_password: bool) -> None:
        """:raises HostUnreachable: if ssh does not start."""
        self._host = host
        # A pipe would fill up and block ssh while nobody reads it.
        self._complaints: IO[bytes] = os.fdopen(os.memfd_create("ssh"), "w+b")
        self.socket, theirs = socket.socketpair()
        options = ["-T"] if ask_password else ["-T", "-o", "BatchMode=yes"]
        try:
            with theirs:
                self._process = subprocess.Popen(
                    make_command(host, [_BRIDGE], *options),
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._complaints,
                    preexec_fn=_ignore_interrupt,
                )
        except OSError as error:
            self.socket.close()
            self._complaints.close()
            text = messages.SSH_DOES_NOT_START(reason=error.strerror or str(error))
            raise HostUnreachable(text.with_remedy(messages.INSTALL_SSH())) from error

    def close(self) -> None:
        """End ssh. The bridge ends with it."""
        self._process.terminate()
        self._process.wait()
        self._complaints.close()

    def make_error(self, text: Text | None = None) -> HostUnreachable:
        """Return the error that the end of ssh stands for.

        :param text: what has happened if ssh does not say it.
        """
        try:
            status = self._process.wait(_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            status = 0
        if status == _NOT_FOUND:
            missing = messages.BRIDGE_MISSING(program=_BRIDGE, host=self._host)
            return HostUnreachable(missing.with_remedy(messages.INSTALL_SYSTEMD()))
        reason = self._read_last_line()
        if reason:
            return HostUnreachable(messages.SSH_FAILED_BECAUSE(host=self._host, reason=reason))
        return HostUnreachable(text or messages.SSH_FAILED(host=self._host))

    def _read_last_line(self) -> str:
        """Return the last line that ssh wrote on its standard error."""
        length = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, length - _MAX_OUTPUT_BYTES))
        lines = self._complaints.read().decode("utf-8", "replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip()]
        return spoken[-1].rstrip(".") if spoken else ""


def _ignore_interrupt() -> None:
    """Let Ctrl-C on our terminal interrupt us alone, also when we cancel the job afterwards."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
