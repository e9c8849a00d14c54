# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of the mirror watch: try the mirrors of each registry, decide, and record it."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dockmgrd import errors, names
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.variants import to_plain
from dockmgrd.catalog import mirrors as catalog
from dockmgrd.errors import Busy, ConfigConflict, DockmgrError, NoReply, RemoteError
from dockmgrd.host import adminconfig, watch_record
from dockmgrd.host.adminconfig import Limits
from dockmgrd.host.registry_folders import read_configured_mirrors
from dockmgrd.host.watch_config import Choice, MirrorWatch
from dockmgrd.host.watch_record import Check, Outcome, Record, Watched
from dockmgrd.messages.text import NOTHING, from_plain
from dockmgrd.sd import journal
from dockmgrd.watch.decision import Decision, Look, conclude, decide

logger = logging.getLogger(__name__)

_RUNS_IN_A_ROW = 4  # times the time between two runs: what is still in a row
_MAX_WAITS = 3  # calls of Wait for a job: each ends when the daemon is restarted
_BUSY, _CONFLICT = Busy.dbus_name, ConfigConflict.dbus_name


@dataclass(frozen=True)
class Service:
    """The service dockmgrd on the bus."""

    bus: Bus

    async def is_engine_running(self) -> bool:
        """Whether a Docker Engine answers."""
        [status] = await self._call(names.MANAGER_PATH, names.MANAGER_INTERFACE, "Status")
        return bool(to_plain(status).get("engine-version"))

    async def run_job(
        self, method: str, mirrors: tuple[str, ...], registry: str, **more: Variant
    ) -> dict[str, Any]:
        """Start a job about mirrors, wait for its end, and return its result.

        :raises RemoteError: when it is refused or fails.
        :raises NoReply: when the service does not stay.
        """
        body = [list(mirrors), {"registry": Variant("s", registry), **more}]
        [path] = await self._call(
            names.MANAGER_PATH, names.MANAGER_INTERFACE, method, "asa{sv}", body
        )
        for _ in range(_MAX_WAITS - 1):
            try:
                return await self._wait(path)
            except NoReply:
                continue
            except RemoteError as error:
                if not error.name.endswith(".NoReply"):
                    raise
        return await self._wait(path)

    async def _wait(self, path: str) -> dict[str, Any]:
        [result] = await self._call(path, names.JOB_INTERFACE, "Wait")
        plain: dict[str, Any] = to_plain(result)
        return plain

    async def _call(self, path: str, interface: str, member: str, *arguments: Any) -> list[Any]:
        call = partial(self.bus.call, names.BUS_NAME, path, interface, member, timeout=None)
        return await call(*arguments)


async def watch_mirrors(service: Service, limits: Limits, watch: MirrorWatch) -> None:
    """Run the watch once for each registry.

    :raises DockmgrError: when the service or the record cannot be used.
    """
    engine_runs = await service.is_engine_running()
    record = watch_record.read()
    record = Record(tuple(each for each in record.registries if each.registry in watch.registries))
    for registry in watch.registries:
        before = record.find(registry)
        watched = await _watch_registry(service, limits, watch, registry, before, engine_runs)
        _report(before, watched)
        record = record.with_registry(watched)
        watch_record.write(record)


async def _watch_registry(
    service: Service,
    limits: Limits,
    watch: MirrorWatch,
    registry: str,
    before: Watched | None,
    engine_runs: bool,  # noqa: FBT001
) -> Watched:
    mirrors = read_configured_mirrors(registry)
    if not mirrors:
        return Watched(registry)
    candidates = _list_candidates(limits, watch, registry)
    checks: tuple[Check, ...] = ()
    try:
        if engine_runs:
            probed = tuple(dict.fromkeys((*mirrors, *candidates)))
            checks = _read_checks(await service.run_job("ProbeMirrors", probed, registry))
        look = Look(registry, mirrors, checks, candidates, engine_runs=engine_runs)
        max_gap = _RUNS_IN_A_ROW * watch.every * 1_000_000
        decision = decide(before, look, time.time_ns() // 1000, max_gap)
        return await _carry_out(service, decision, look) if decision.order else decision.watched
    except RemoteError as error:
        logger.warning("the mirrors of %s cannot be tried: %s", registry, error.reply)
        return conclude(Decision(before or Watched(registry, mirrors=mirrors)), Outcome.FAILED)


async def _carry_out(service: Service, decision: Decision, look: Look) -> Watched:
    """Have a job change the order, unless somebody else has changed it meanwhile."""
    if read_configured_mirrors(look.registry) != look.mirrors:
        return conclude(decision, Outcome.LIST_CHANGED)
    try:
        expected = Variant("as", list(look.mirrors))
        await service.run_job("SetMirror", decision.order, look.registry, expected=expected)
    except RemoteError as error:
        outcome = _judge_refusal(error, look)
        again = " The next run tries again." if outcome is Outcome.BUSY else ""
        logger.warning("the order of mirrors of %s stays: %s%s", look.registry, error.reply, again)
        return conclude(decision, outcome)
    return conclude(decision, Outcome.REORDERED)


def _judge_refusal(error: RemoteError, look: Look) -> Outcome:
    """Why the job has not changed the order."""
    if error.name == _BUSY:
        return Outcome.BUSY
    if error.name == _CONFLICT and read_configured_mirrors(look.registry) != look.mirrors:
        return Outcome.LIST_CHANGED
    return Outcome.FAILED


def _list_candidates(limits: Limits, watch: MirrorWatch, registry: str) -> tuple[str, ...]:
    """The candidates that the administrator lets the watch use."""
    if watch.choose_from is not Choice.CANDIDATES or limits.allowed_mirrors is None:
        return ()
    known = catalog.load().list_mirrors(registry)
    return tuple(each for each in known if limits.admits(each, registry))


def _read_checks(result: Mapping[str, Any]) -> tuple[Check, ...]:
    return tuple(
        Check(
            str(each["mirror"]),
            str(each["verdict"]),
            float(each.get("seconds", 0)),
            from_plain(each["cause"]) if each.get("cause") else NOTHING,
            bool(each.get("differs", False)),
        )
        for each in result.get("probed", [])
    )


def _report(before: Watched | None, watched: Watched) -> None:
    """Record in the journal what has changed with this run."""
    registry, mirrors = watched.registry, ", ".join(map(errors.redact, watched.mirrors))
    fields = {"DOCKMGR_REGISTRY": registry, "DOCKMGR_MIRRORS": mirrors}
    if watched.none_works and not (before and before.none_works):
        text = f"None of the mirrors of {registry} works: {mirrors}."
        entry = journal.Entry(text, names.MESSAGE_NO_MIRROR_WORKS, journal.WARNING, fields)
        journal.record(entry)
    if watched.outcome is Outcome.REORDERED:
        text = f"The first mirror of {registry} has failed twice. The new order: {mirrors}."
        entry = journal.Entry(text, names.MESSAGE_MIRRORS_REORDERED, journal.NOTICE, fields)
        journal.record(entry)


async def _run(limits: Limits, watch: MirrorWatch) -> None:
    async with Bus() as bus:
        await watch_mirrors(Service(bus), limits, watch)


def main() -> int:
    """Run once. Without the setting, nothing is tried and no daemon is started."""
    journal.set_up_logging("dockmgrd-mirror-watch")
    limits, _ = adminconfig.load()
    if limits.mirror_watch is None:
        return 0
    try:
        asyncio.run(_run(limits, limits.mirror_watch))
    except DockmgrError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0
