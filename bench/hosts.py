# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts to measure on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bed.host import Host
from bed.layers import Layers
from bed.suites import BOOKWORM, Suite


@contextmanager
def boot_host(
    disk: Layers, *, suite: Suite = BOOKWORM, may_degrade: bool = False
) -> Iterator[Host]:
    """A host on which systemd runs its generators, as on a real one, and whose internet is up.

    Hosts of tests leave the generators out, which are a third of a daemon-reload.
    """
    host = Host(suite, disk)
    try:
        host.boot(may_degrade=may_degrade)
        host.run("rm", "--recursive", "/etc/systemd/system-generators")
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "start", "bed-internet.service")
        yield host
    finally:
        host.close()
