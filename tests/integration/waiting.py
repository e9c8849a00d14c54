# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wait for events on a host, even if they happen before the wait begins."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from bed.limits import HANG_TIMEOUT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from bed.host import Host

# Runs on the host as a monitor of the bus. Says "ready", and "seen" when the call has been made.
_UNTIL_CALLED = """
import asyncio, sys
from dockmgrd.bus.client import Bus

async def main(rule):
    seen = asyncio.Event()
    async with Bus() as bus:
        bus.on_call = lambda _: seen.set()
        await bus.call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                       "org.freedesktop.DBus.Monitoring", "BecomeMonitor", "asu", [[rule], 0])
        print("ready", flush=True)
        await seen.wait()
        print("seen", flush=True)

asyncio.run(main(sys.argv[1]))
"""


def until_logged(host: Host, text: str, *matches: str) -> None:
    """Return when an entry of this boot's journal has the text in its message."""
    follow = ("journalctl", "--boot", "--follow", "--lines=all", "--output=cat", *matches)
    with _ending(host.popen(*follow)) as output:
        assert any(text in line for line in output), f"nobody has logged {text!r}"


@contextmanager
def watching_for_call(host: Host, interface: str, member: str) -> Iterator[Callable[[], None]]:
    """Yield a function that returns when somebody has made such a call since."""
    rule = f"type='method_call',interface='{interface}',member='{member}'"
    with _ending(host.popen("/usr/bin/python3", "-IBc", _UNTIL_CALLED, rule)) as output:

        def seen() -> None:
            assert output.readline() == "seen\n", f"nobody has called {interface}.{member}"

        assert output.readline() == "ready\n"
        yield seen


@contextmanager
def _ending(process: subprocess.Popen[str]) -> Iterator[IO[str]]:
    """Yield what the process prints. It ends with the context, or when that takes too long."""
    assert process.stdout is not None
    timer = threading.Timer(HANG_TIMEOUT, process.kill)
    timer.start()
    try:
        yield process.stdout
    finally:
        timer.cancel()
        process.kill()
        process.communicate()
