# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mirror watch as the daemon sees it: its timer follows the settings, its record is shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dockmgrd import names, paths
from dockmgrd.errors import DockmgrError, redact
from dockmgrd.host import watch_config, watch_record
from dockmgrd.host.adminconfig import LimitsFile
from dockmgrd.host.filecache import FileCache
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.watch_record import Record, Watched
from dockmgrd.messages import status as messages
from dockmgrd.messages.text import Text
from dockmgrd.names import DOCKER_HUB

logger = logging.getLogger(__name__)


def _make_cache() -> FileCache[Record]:
    return FileCache(lambda: [paths.WATCH_RECORD], watch_record.read)


@dataclass
class WatchView:
    """Keeps the timer in step with dockmgrd.yaml, and reads what the watch has found."""

    systemd: Systemd
    limits: LimitsFile
    find_mirrors: Callable[[str], tuple[str, ...]]
    """Returns the mirrors of a registry that are configured now."""
    _record: FileCache[Record] = field(default_factory=_make_cache)
    _applied: str | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def follow_settings(self) -> None:
        """Have systemd generate and start the timer, or stop it, when the settings differ."""
        async with self._lock:
            watch = self.limits.current().mirror_watch
            timer = watch_config.render_timer(watch) if watch else ""
            if timer == self._applied:
                return
            self._applied = timer
            if timer == watch_config.read_timer():
                return
            try:
                await self.systemd.stop(names.WATCH_TIMER)
                await self.systemd.reload_manager()
                if timer:
                    await self.systemd.start(names.WATCH_TIMER)
            except DockmgrError as error:
                logger.warning("the timer of the mirror watch does not follow: %s", error)

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
        """The registries of which no mirror works."""
        return [_describe_problem(each) for each in self._registries if each.none_works]


def _describe_problem(watched: Watched) -> Text:
    option = "" if watched.registry == DOCKER_HUB else f" --registry {watched.registry}"
    text = messages.NO_MIRROR_WORKS(registry=watched.registry, mirrors=list(watched.mirrors))
    return text.with_remedy(messages.PROBE_AND_SET_OTHERS(), f"dockmgrctl probe{option}")
