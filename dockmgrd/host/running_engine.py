# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dockerd processes of this host, whether docker.service, another unit or a user started them.

Rootless ones and those inside of containers do not count.
"""

from __future__ import annotations

from dockmgrd.errors import ServiceFailed
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.engine_problems import describe_missing_socket
from dockmgrd.host.processes import HostProcess, find_processes

_PROGRAM = "dockerd"


def find_unmanaged_engine(unit: str) -> HostProcess | None:
    """An engine that does not run in the unit; None when there is none."""
    return next((each for each in find_processes(_PROGRAM) if each.unit != unit), None)


def find_engine_of(unit: str) -> HostProcess | None:
    """The engine that runs in the unit; None when there is none."""
    return next((each for each in find_processes(_PROGRAM) if each.unit == unit), None)


def check_local_socket(unit: str) -> None:
    """Check that the engine of the unit can be asked: a socket that systemd keeps never answers.

    :raises ServiceFailed: when it listens elsewhere only, as with `-H tcp://`.
    """
    for engine in find_processes(_PROGRAM):
        command_line = CommandLine(engine.words, (), (), {})
        if engine.unit == unit and not command_line.has_local_socket:
            raise ServiceFailed(describe_missing_socket(command_line.hosts))
