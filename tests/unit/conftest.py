# SPDX-License-Identifier: LGPL-2.1-or-later
"""A message bus of the test's own, and connections to it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dockmgrd.bus.client import Bus
from unit.leaks import leak_guard, leak_guard_in_loop

__all__ = ["leak_guard", "leak_guard_in_loop"]

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:dir={directory}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"""


@pytest.fixture
def localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is that of the loopback address, also where no /etc/hosts says so."""
    real = socket.getaddrinfo

    def lookup(host: str, *arguments: Any, **more: Any) -> object:
        return real("127.0.0.1" if host == "localhost" else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


@pytest.fixture
def bus_address(tmp_path: Path) -> Iterator[str]:
    """Address of a private dbus-daemon, which ends with the test."""
    config = tmp_path / "bus.conf"
    config.write_text(_CONFIG.format(directory=tmp_path))
    command = ["dbus-daemon", f"--config-file={config}", "--print-address=1", "--nofork"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


@pytest_asyncio.fixture
async def service_bus(bus_address: str) -> AsyncIterator[Bus]:
    """The connection on which the test offers something."""
    async with Bus(bus_address) as bus:
        yield bus


@pytest_asyncio.fixture
async def client_bus(bus_address: str) -> AsyncIterator[Bus]:
    """The connection from which the test calls."""
    async with Bus(bus_address) as bus:
        yield bus
