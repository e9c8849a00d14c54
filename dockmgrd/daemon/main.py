# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrd: the daemon that systemd starts when the first call for org.dockmgr1 arrives."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from dockmgrd import names
from dockmgrd.bus.client import Bus
from dockmgrd.bus.exports import Exports
from dockmgrd.catalog.platforms import Platform
from dockmgrd.catalog.sources import Sources
from dockmgrd.daemon import logcontrol, watchdog
from dockmgrd.daemon.callers import Callers
from dockmgrd.daemon.early_calls import EarlyCalls
from dockmgrd.daemon.engine_watch import EngineWatch
from dockmgrd.daemon.gate import Gate
from dockmgrd.daemon.idle import IdleWatch
from dockmgrd.daemon.jobs import Jobs
from dockmgrd.daemon.mirror_watch import WatchView
from dockmgrd.daemon.polkit import Polkit
from dockmgrd.daemon.service import ManagerInterface, Service
from dockmgrd.daemon.status import Status
from dockmgrd.errors import RemoteError, ServiceFailed
from dockmgrd.host.adminconfig import LimitsFile
from dockmgrd.host.engine import Engine
from dockmgrd.host.jobstore import JobStore
from dockmgrd.host.systemd import Systemd
from dockmgrd.messages import jobs as messages
from dockmgrd.sd import journal, protocols

logger = logging.getLogger(__name__)


async def serve() -> None:
    """Serve until nobody has needed us for a while, or systemd says stop."""
    async with Bus() as bus:
        exports = Exports(bus, names.MANAGER_PATH)
        early_calls = EarlyCalls(bus)
        await own_bus_name(bus)
        await exports.follow_callers()
        gate = Gate(Callers(bus), Polkit(bus))
        await gate.polkit.follow_callers()
        limits = LimitsFile()
        manager = Systemd(bus)
        await manager.connect()
        sources = Sources()
        service = Service(exports, gate)
        engine = EngineWatch(
            systemd=manager,
            engine=Engine(),
            changed=service.update_manager,
        )
        status = Status(engine, sources, Platform.read().name, limits, service.update_manager)
        status.watch = WatchView(manager, limits, status.configured_mirrors)
        await engine.start()
        jobs = Jobs(
            manager,
            JobStore(),
            changed=lambda job: service.show_job(job, jobs),
            forgotten=service.remove_job,
        )
        manager_interface = ManagerInterface(
            jobs, status, gate, sources, limits, exports.get_last_error
        )
        service.export_manager(manager_interface)
        exports.add(logcontrol.PATH, logcontrol.LogControlInterface(gate.callers))
        await jobs.adopt()
        early_calls.release()
        protocols.notify("READY=1\nSTATUS=Ready")
        tasks = [
            asyncio.ensure_future(watchdog.feed()),
            asyncio.ensure_future(status.follow(once=service.announce_manager)),
        ]
        told_to_stop = await _until_unneeded(bus, IdleWatch(exports, jobs, limits))
        await leave(bus, exports, at_once=told_to_stop)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await engine.stop()


async def own_bus_name(bus: Bus) -> None:
    """Take the bus name, before anything of the jobs is touched: only one daemon may do that.

    :raises ServiceFailed: when it is another's, or not ours to have.
    """
    try:
        await bus.own_name(names.BUS_NAME)
    except RemoteError as error:
        if error.name.endswith(".AddressInUse"):
            text = messages.NAME_IS_TAKEN(name=names.BUS_NAME)
        else:
            text = messages.NAME_IS_REFUSED(name=names.BUS_NAME, reason=error.reply)
        command = f"systemctl status {names.DAEMON_UNIT}"
        raise ServiceFailed(text.with_remedy(messages.SEE_DAEMON(), command)) from error


async def _until_unneeded(bus: Bus, idle: IdleWatch) -> bool:
    """Wait for SIGTERM (True), for idleness (False), or for the end of the connection (raises)."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    waits = [
        asyncio.ensure_future(stop.wait()),
        asyncio.ensure_future(idle.wait()),
        asyncio.ensure_future(bus.wait_for_disconnect()),
    ]
    done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in pending:
        wait.cancel()
    await asyncio.wait(pending)
    for wait in done:
        wait.result()
    return stop.is_set()


async def leave(bus: Bus, exports: Exports, *, at_once: bool) -> None:
    """Stop without losing a call: later calls activate the next daemon.

    systemd gets STOPPING first, so that activation waits until this daemon has ended. The reply to
    ReleaseName arrives after all earlier messages of the bus. All of these get a reply: their own
    if the daemon is idle, an error at once if it was stopped.
    """
    protocols.notify("STOPPING=1")
    await bus.call_bus("ReleaseName", "s", names.BUS_NAME)
    await exports.drain(at_once=at_once)
    await bus.flush()


def main() -> int:
    """Be the daemon; a status other than 0 when it cannot be, with a sentence that says why."""
    journal.set_up_logging("dockmgrd")
    try:
        asyncio.run(serve())
    except ServiceFailed as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0
