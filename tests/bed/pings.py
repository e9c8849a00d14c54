# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether an engine answers throughout: it is asked every 10 ms from a process on its host."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bed.limits import HANG_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.host import Host

# Runs until its standard input ends. Says "ready" when it has the first answer.
_PROGRAM = """
import select, socket, sys, time

def answers():
    try:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(300)
            engine.connect("/run/docker.sock")
            engine.sendall(b"GET /_ping HTTP/1.0\\r\\n\\r\\n")
            return b" 200 " in engine.recv(4096)
    except OSError:
        return False

while not answers():
    time.sleep(0.01)
print("ready", flush=True)
asked = failed = 0
longest = 0.0
answered = time.monotonic()
while not select.select([sys.stdin], [], [], 0.01)[0]:
    asked += 1
    if answers():
        now = time.monotonic()
        longest, answered = max(longest, now - answered), now
    else:
        failed += 1
print(asked, failed, max(longest, time.monotonic() - answered))
"""


@dataclass
class Pings:
    """How often the engine was asked and did not answer, and the longest time without an answer
    (seconds).
    """

    asked: int = 0
    failed: int = 0
    longest: float = 0.0


@contextmanager
def pinged(host: Host) -> Iterator[Pings]:
    """Ask the host's engine until the context ends; then the figures are there."""
    pings = Pings()
    process = host.popen("/usr/bin/python3", "-IBc", _PROGRAM)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield pings
    finally:
        output, _ = process.communicate("\n", timeout=HANG_TIMEOUT)
        asked, failed, longest = output.split()
        pings.asked, pings.failed, pings.longest = int(asked), int(failed), float(longest)
