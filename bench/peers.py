# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host on which firewalld and tuned run beside us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bed import debs, layers
from bed.host import Host
from bed.suites import BOOKWORM
from bench.hosts import boot_host


@contextmanager
def host_with_peers() -> Iterator[Host]:
    """A host of its own kind with Docker installed, whose peers are Debian's packages."""
    disk = debs.with_packages(BOOKWORM, layers.docker(BOOKWORM), "firewalld", "tuned")
    with boot_host(disk, may_degrade=True) as host:
        host.run("systemctl", "start", "firewalld.service", "tuned.service")
        yield host
