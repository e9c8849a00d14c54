# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mirror watch as the daemon sees it: its timer follows the settings, its record is shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dockmgrd import names, paths
from dockmgrd.errors import DockmgrError, RemoteError, redact
from dockmgrd.host import watch_config, watch_record
from dockmgrd.host.adminconfig import LimitsFile
from dockmgrd.host.filecache import FileCache
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState
from dockmgrd.host.watch_record import Record, Watched
from dockmgrd.messages import status as messages
from dockmgrd.messages.text import NOTHING, Text, foreign_text
from dockmgrd.names import DOCKER_HUB

logger = logging.getLogger(__name__)


def _make_cache() -> FileCache[Record]:
    return FileCache(lambda: [paths.WATCH_RECORD], watch_record.read)


def _make_timer_cache() -> FileCache[str]:
    return FileCache(lambda: [paths.GENERATED_UNITS / names.WATCH_TIMER], watch_config.read_timer)


@dataclass
class WatchView:
    """Keeps the timer in step with dockmgrd.yaml, and reads what the watch has found."""

    systemd: Systemd
    limits: LimitsFile
    find_mirrors: Callable[[str], tuple[str, ...]]
    """Returns the mirrors of a registry that are configured now."""
    _record: FileCache[Record] = field(default_factory=_make_cache)
    _generated: FileCache[str] = field(default_factory=_make_timer_cache)
    """The timer that systemd's generator has written."""
    _applied: str | None = None
    _refusal: Text = NOTHING
    """Why systemd has not done what follows from the settings."""
    _timer: UnitState | None = None
    """What systemd knows of the timer; None when that may have changed."""
    _is_timer_asked: bool = False
    """Whether systemd has been asked since the timer may have changed last."""
    _follows_timer: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def follow_settings(self) -> None:
        """Have systemd generate and start the timer, or stop it, when the settings differ."""
        async with self._lock:
            timer = self._render_timer()
            if timer != self._applied:
                self._applied = timer
                if timer != self._generated.get():
                    await self._apply(timer)
            await self._look_at_timer()

    async def _apply(self, timer: str) -> None:
        """Have systemd generate the timer again, and start it unless there is none."""
        self._refusal = NOTHING
        self._forget_timer()
        try:
            await self.systemd.stop(names.WATCH_TIMER)
            await self.systemd.reload_manager()
            if timer:
                await self.systemd.start(names.WATCH_TIMER)
        except RemoteError as error:
            self._refusal = foreign_text(error.reply)
        except DockmgrError as error:
            self._refusal = foreign_text(str(error.text))
        if self._refusal:
            logger.warning("the timer of the mirror watch does not follow: %s", self._refusal)

    async def _look_at_timer(self) -> None:
        """Ask systemd for the state of the timer, when it may have changed."""
        try:
            if not self._follows_timer:
                path = names.unit_path(names.WATCH_TIMER)
                await self.systemd.watch_path(path, lambda _: self._forget_timer())
                await self.systemd.watch_reloads(self._forget_timer)
                self._follows_timer = True
            while not self._is_timer_asked:
                self._is_timer_asked = True
                timer = await self.systemd.get_state(names.WATCH_TIMER)
                if self._is_timer_asked:  # Else it has changed since the question.
                    self._timer = timer
        except DockmgrError as error:
            self._is_timer_asked = False
            logger.warning("the timer of the mirror watch is unknown: %s", error)

    def _forget_timer(self) -> None:
        self._timer = None
        self._is_timer_asked = False

    def _render_timer(self) -> str:
        """The timer that follows from the settings; "" for none."""
        watch = self.limits.current().mirror_watch
        return watch_config.render_timer(watch) if watch else ""

    def _find_timer_problem(self) -> Text | None:
        """That the timer does not run, or not as the settings say, whatever the reason is."""
        if self._timer is None:
            return None
        timer = self._render_timer()
        if self._timer.active == bool(timer) and self._generated.get() == timer:
            return None
        values = {"file": str(paths.ADMIN_CONFIG), "timer": names.WATCH_TIMER}
        if not timer:
            command = f"systemctl stop {names.WATCH_TIMER} && systemctl daemon-reload"
            return messages.WATCH_NOT_STOPPED(**values).with_remedy(messages.STOP_WATCH(), command)
        start = f"systemctl daemon-reload && systemctl restart {names.WATCH_TIMER}"
        if self._timer.load_state == "masked":
            command = f"systemctl unmask {names.WATCH_TIMER} && {start}"
            return messages.WATCH_MASKED(**values).with_remedy(messages.UNMASK_WATCH(), command)
        text = messages.WATCH_NOT_STARTED(**values)
        if self._refusal:
            text = messages.WATCH_REFUSED(reason=self._refusal, **values)
        return text.with_remedy(messages.START_WATCH(), start)

    @property
    def _registries(self) -> list[Watched]:
        """The entries of the record that are about the mirrors of today."""
        watch = self.limits.current().mirror_watch
        if watch is None:
            return []
        found = [self._record.get().find(registry) for registry in watch.registries]
        return [
            each
            for each in found
            if each and each.checks and set(each.mirrors) == set(self.find_mirrors(each.registry))
        ]

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The last results, one for each mirror, as plain values."""
        return [
            {
                "registry": watched.registry,
                "mirror": redact(check.mirror),
                "verdict": check.verdict,
                "text": redact(str(check.cause)),
                "checked-at": watched.checked_at,
                "outcome": watched.outcome.value,
            }
            for watched in self._registries
            for check in watched.checks
        ]

    @property
    def problems(self) -> list[Text]:
        """That the timer does not follow, and the registries of which no mirror works."""
        timer = self._find_timer_problem()
        silent = [_describe_problem(each) for each in self._registries if each.none_works]
        return [timer, *silent] if timer else silent


def _describe_problem(watched: Watched) -> Text:
    option = "" if watched.registry == DOCKER_HUB else f" --registry {watched.registry}"
    text = messages.NO_MIRROR_WORKS(registry=watched.registry, mirrors=list(watched.mirrors))
    return text.with_remedy(messages.PROBE_AND_SET_OTHERS(), f"dockmgrctl probe{option}")
