# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts to measure on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bed.host import Host
from bed.layers import Layers
from bed.suites import BOOKWORM


@contextmanager
def boot_host(disk: Layers, *, may_degrade: bool = False) -> Iterator[Host]:
    """A host that does what real ones do, and hosts of tests leave out.

    Its systemd runs all generators, which is half of a daemon-reload, and its internet is up.
    """
    host = Host(BOOKWORM, disk)
    try:
        host.boot(may_degrade=may_degrade)
        host.run("rm", "--recursive", "/etc/systemd/system-generators")
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "start", "bed-internet.service")
        yield host
    finally:
        host.close()
