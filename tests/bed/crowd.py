# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients of a host's org.dockmgr1 that are many, or mean, and one who measures beside them."""

from __future__ import annotations

# Runs on the host: clients that call, follow the job, and vanish without a word.
CROWD = """
import asyncio, random, sys
from dockmgrd.bus.client import Bus
from dockmgrd.bus.messages import PROPERTIES, Match

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
    bus.disconnect()

async def main(clients, path):
    await asyncio.gather(*(client(number, path) for number in range(clients)),
                         return_exceptions=True)

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""

# Runs on the host: calls 20,000 times without reading a reply, then stays so until it is ended.
FLOOD = """
import asyncio
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message

async def main():
    async with Bus() as bus:
        await bus.call("org.dockmgr1", "/org/dockmgr1", "org.freedesktop.DBus.Peer", "Ping")
        asyncio.get_running_loop().remove_reader(bus.fileno())
        for number in range(20_000):
            interface, member = [
                ("org.dockmgr1.Manager", "Status"),
                ("org.freedesktop.DBus.Introspectable", "Introspect"),
            ][number % 2]
            bus.send(Message(destination="org.dockmgr1", path="/org/dockmgr1",
                             interface=interface, member=member))
        while bus.unsent_bytes:
            await asyncio.sleep(0.01)
        print("sent", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

# Runs on the host: prints the 99th percentile of the seconds that Status takes, measured for the
# given number of seconds.
SLOWEST = """
import asyncio, sys, time
from dockmgrd.bus.client import Bus

async def main():
    times = []
    async with Bus() as bus:
        end = time.monotonic() + float(sys.argv[1])
        while time.monotonic() < end:
            begun = time.monotonic()
            await bus.call("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager", "Status")
            times.append(time.monotonic() - begun)
    print(sorted(times)[int(len(times) * 0.99)])

asyncio.run(main())
"""
