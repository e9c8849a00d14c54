# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many clients of a host's org.dockmgr1 that come, and go without a word."""

from __future__ import annotations

# Runs on the host: clients that call, follow the job, and vanish without a word.
CROWD = """
import asyncio, os, random, sys
from dockmgrd.bus import PROPERTIES, Bus, Match

async def client(number, path):
    dice = random.Random(number)
    await asyncio.sleep(dice.uniform(0, 2))
    bus = await Bus().connect()
    await bus.subscribe(Match("org.dockmgr1", PROPERTIES, "PropertiesChanged"), lambda _: None)
    calls = [
        ("/org/dockmgr1", "org.dockmgr1.Manager", "Status", "", []),
        (path, PROPERTIES, "GetAll", "s", ["org.dockmgr1.Job"]),
        (path, "org.dockmgr1.Job", "Wait", "", []),
        ("/org/dockmgr1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", []),
    ]
    for _ in range(dice.randrange(1, 5)):
        asking = asyncio.ensure_future(bus.call("org.dockmgr1", *dice.choice(calls)))
        await asyncio.wait({asking}, timeout=dice.uniform(0, 1))
        asking.cancel()
    os.close(os.dup(bus._fd))
    bus._sock.shutdown(2)

async def main(clients, path):
    await asyncio.gather(*(client(number, path) for number in range(clients)),
                         return_exceptions=True)

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""
