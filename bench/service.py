# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as a service, beside firewalld and tuned on the same bus of the same host."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bed import layers
from bed.api import Api
from bed.crowd import CROWD, FLOOD, SLOWEST
from bed.host import Host
from bed.suites import BOOKWORM
from bench.hosts import boot_host
from bench.pairs import Comparison, compare, megabytes, timed
from bench.peers import host_with_peers

PING = ("org.dockmgr1", "/org/dockmgr1", "org.freedesktop.DBus.Peer", "Ping")
STATUS = ("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager", "Status")
FIREWALLD = (
    "org.fedoraproject.FirewallD1",
    "/org/fedoraproject/FirewallD1",
    "org.fedoraproject.FirewallD1",
    "getDefaultZone",
)
TUNED = ("com.redhat.tuned", "/Tuned", "com.redhat.tuned.control", "active_profile")

# Runs on the host: median seconds of a call, over one connection that is open already.
_ROUND_TRIP = """
import asyncio, statistics, sys, time
from dockmgrd.bus.client import Bus

async def main():
    async with Bus() as bus:
        times = []
        for number in range(550):
            started = time.monotonic()
            await bus.call(*sys.argv[1:])
            times.append(time.monotonic() - started)
        print(statistics.median(times[50:]))

asyncio.run(main())
"""

# Runs on the host: seconds from a call of SetMirror to its job path, and of StartUnit alone.
_TO_RUNNING = """
import asyncio, sys, time
from dockmgrd.bus.client import Bus
from dockmgrd.host.systemd import Systemd

async def main(ours):
    async with Bus() as bus:
        systemd = Systemd(bus)
        await systemd.connect()
        await bus.call("org.dockmgr1", "/org/dockmgr1", "org.freedesktop.DBus.Peer", "Ping")
        started = time.monotonic()
        if ours:
            [path] = await bus.call("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager",
                                    "SetMirror", "asa{sv}", [[], {}])
        else:
            await systemd.start("bench-nothing@%d.service" % time.time_ns())
        print(time.monotonic() - started)
        if ours:
            await bus.call("org.dockmgr1", path, "org.dockmgr1.Job", "Wait", timeout=None)

asyncio.run(main(sys.argv[1] == "ours"))
"""
# dbus-next as it comes, from where our RPM has it.
_BARE = """
import os, sys
import dockmgrd
sys.path.append(os.path.join(os.path.dirname(dockmgrd.__file__), "_vendor"))
import dbus_next.aio
"""
_CROWD_BYTES_A_SECOND = 10_000_000
_NOTHING = """[Service]
Type=exec
ExecStart=/bin/true
"""


def measures() -> Iterator[Comparison]:
    """All figures of the daemon as a service, as they are ready."""
    with host_with_peers() as host:

        def trip(call: tuple[str, ...]) -> Callable[[], float]:
            command = ("/usr/bin/python3", "-IBc", _ROUND_TRIP, *call)
            return lambda: float(host.run(*command).stdout)

        for peer, name in (
            (PING, "our Peer.Ping"),
            (FIREWALLD, "firewalld getDefaultZone"),
            (TUNED, "tuned active_profile"),
        ):
            yield compare("Status, round trip", name, trip(STATUS), trip(peer), runs=5)
        for unit in ("firewalld.service", "tuned.service"):
            yield Comparison(
                "resident memory",
                unit,
                (_memory(host, "dockmgrd.service"),),
                (_memory(host, unit),),
                megabytes,
            )
        yield _cold_start(host)
        yield _to_running(host)
        yield _beside_a_flood(host)
    yield _under_a_crowd()


def _memory(host: Host, unit: str) -> float:
    """Bytes of memory that the main process of a unit has resident."""
    pid = host.run("systemctl", "show", unit, "-P", "MainPID").stdout.strip()
    fields = dict(
        line.split()[:2] for line in host.read(f"/proc/{pid}/smaps_rollup").splitlines()[1:]
    )
    return float(fields["Rss:"]) * 1024


def _cold_start(host: Host) -> Comparison:
    """The first call, which starts the daemon, against Python with dbus-next alone."""
    call = ("busctl", "--system", "call", *PING)

    def ours() -> float:
        host.run("systemctl", "stop", "dockmgrd.service")
        return timed(lambda: host.run(*call))

    def bare() -> float:
        return timed(lambda: host.run("/usr/bin/python3", "-IBc", _BARE))

    return compare("activation to the first reply", "import dbus_next.aio", ours, bare, runs=9)


def _to_running(host: Host) -> Comparison:
    """From the call of a verb to the running unit, against StartUnit of a unit of that kind."""
    host.write("/etc/systemd/system/bench-nothing@.service", _NOTHING)
    host.run("systemctl", "daemon-reload")

    def seconds(who: str) -> Callable[[], float]:
        return lambda: float(host.run("/usr/bin/python3", "-IBc", _TO_RUNNING, who).stdout)

    return compare(
        "SetMirror to the running unit", "StartUnit", seconds("ours"), seconds("plain"), runs=9
    )


def _beside_a_flood(host: Host) -> Comparison:
    """The slowest Status of one user while another sends 20,000 calls and reads no reply."""

    def slowest() -> float:
        return float(host.run("/usr/bin/python3", "-IBc", SLOWEST, "3", user="alice").stdout)

    def in_flood() -> float:
        flooder = host.popen("/usr/bin/python3", "-IBc", FLOOD, user="bob")
        try:
            return slowest()
        finally:
            flooder.terminate()
            flooder.communicate()

    return compare(
        "Status beside a flood, 99th of 100", "without the flood", in_flood, slowest, runs=5
    )


def _under_a_crowd() -> Comparison:
    """A job while two hundred clients call, follow and vanish, against the job alone."""

    def seconds(clients: int) -> Callable[[], float]:
        def run() -> float:
            with boot_host(layers.ours(BOOKWORM)) as host:
                host.internet.fault(
                    "download.docker.com", "slow", prefix="/linux/", value=_CROWD_BYTES_A_SECOND
                )
                api = Api(host)
                job = api.install()
                crowd = host.popen("/usr/bin/python3", "-IBc", CROWD, str(clients), job)
                api.wait(job)
                properties = api.properties(job)
                crowd.communicate()
                return float(properties["FinishedAt"] - properties["CreatedAt"]) / 1e6

        return run

    return compare("a job under 200 clients", "the job alone", seconds(200), seconds(0), runs=5)
