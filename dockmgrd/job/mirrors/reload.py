# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bringing a running engine to new mirrors without a restart, and back when it does not take them.

Facts of moby's daemon/reload.go: a key that daemon.json does not have keeps the value it had, and
an engine that cannot read the file keeps everything, which only its log tells.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from dockmgrd import names
from dockmgrd.errors import RolledBack, ServiceFailed
from dockmgrd.host.engine import EngineFacts
from dockmgrd.host.systemd import ENDED
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors.change import Change
from dockmgrd.mirror_urls import as_known
from dockmgrd.model import Stage

_SECONDS_TO_RELOAD = 15.0
_SECONDS_TO_TAKE_EFFECT = 1.0
_SECONDS_BETWEEN_LOOKS = 0.003


@dataclass
class LiveChange:
    """A change under a running engine; `former` is what the engine said of itself before."""

    context: JobContext
    change: Change
    former: EngineFacts

    async def apply(self) -> bool:
        """Write, reload, verify; False when the engine has been stopped by others meanwhile.

        :raises RolledBack: when the engine does not take the mirrors; all is as it was.
        :raises ServiceFailed: when it cannot be made to reload; the file is as it was.
        """
        wanted = self.change.wanted
        written = self.change.needed(self.former.mirrors)
        if written:
            self.context.report(Stage.CONFIGURING, 0.4)
            self.change.write()
        elif self.former.mirrors == wanted:
            return True
        self.context.report(Stage.VERIFYING, 0.6, "reloading the engine")
        try:
            facts = await self._reloaded(wanted)
        except ServiceFailed:
            if written:
                self.change.restore()
            raise
        if facts is None:
            return False
        if facts.mirrors != wanted:
            if written:
                await self._go_back(facts)
            raise RolledBack(
                f"The engine uses the mirrors {', '.join(facts.mirrors) or 'none'} after the "
                f"reload and not {', '.join(wanted) or 'none'}, so daemon.json is as it was; "
                "'journalctl -u docker' tells what it refused."
            )
        await self._recall_insecure(facts)
        return True

    async def _go_back(self, facts: EngineFacts) -> None:
        """Have the engine and the file as they were.

        A former file that does not name the engine's mirrors would not bring them back.
        """
        if facts.mirrors == self.former.mirrors:
            self.change.restore()
        elif as_known(self.change.document.mirrors) == self.former.mirrors:
            self.change.restore()
            await self._reloaded(self.former.mirrors)
        else:
            self.change.write_with(self.former.mirrors)
            await self._reloaded(self.former.mirrors)
            self.change.restore()

    async def _recall_insecure(self, facts: EngineFacts) -> None:
        """Give back the insecure registries that engines before 23.0.7 and 24.0.1 forget.

        They load them and then the mirrors, which drops them (moby pull request 45552). A file
        without mirrors has them load the former alone, and keep the mirrors they have.
        """
        lost = self._forgotten(facts)
        if not lost:
            return
        self.change.write_unnamed()
        again = await self._reloaded(self.change.wanted)
        self.change.write_again()
        if again is not None and self._forgotten(again):
            self.context.add_note(
                f"The engine has forgotten the insecure registries {', '.join(lost)} over the "
                "reload, as its version does; 'systemctl restart docker' brings them back."
            )

    def _forgotten(self, facts: EngineFacts) -> list[str]:
        """The insecure registries of daemon.json that the engine had and does not have now."""
        named = self.change.document.insecure
        return [each for each in named if each in self.former.insecure - facts.insecure]

    async def _reloaded(self, wanted: tuple[str, ...]) -> EngineFacts | None:
        """What the engine says of itself when it has reloaded; None when it was stopped.

        A reload that meets a restart by others may be lost on it, and is made again.
        """
        facts = None
        for _ in range(2):
            facts = await self._reload(wanted)
            if facts is not None:
                return facts
            unit = await self.context.systemd.state(names.DOCKER_UNIT)
            if unit.active_state in (*ENDED, "deactivating"):
                return None
            facts = await self._in_force(wanted)
            if facts.mirrors == wanted:
                break
        return facts

    async def _reload(self, wanted: tuple[str, ...]) -> EngineFacts | None:
        """Have systemd reload the engine; None when the engine goes away over it.

        A reload that fails shows only by its event not coming, so that wait is bounded. The engine
        is often done before systemd says so, and can be asked meanwhile.
        """
        async with self.context.engine.open_reload_events() as events:
            told = asyncio.ensure_future(self._told(events, wanted))
            try:
                await self.context.systemd.reload(names.DOCKER_UNIT)
                await asyncio.wait({told}, timeout=_SECONDS_TO_RELOAD)
            finally:
                late = told.cancel()
        if late:
            self.context.add_note("The engine did not say that it has reloaded.")
        elif not isinstance(told.exception(), ServiceFailed):
            facts = told.result()
            if facts is None or facts.mirrors == wanted:
                return facts
        # That event may have been of another's reload, or the engine was restarted after it.
        return await self._in_force(wanted)

    async def _told(
        self, events: asyncio.StreamReader, wanted: tuple[str, ...]
    ) -> EngineFacts | None:
        """What the engine says of itself after its event; None when it goes away instead."""
        return await self._in_force(wanted) if await events.readline() else None

    async def _in_force(self, wanted: tuple[str, ...]) -> EngineFacts:
        """What the engine says of itself, asked again for a second while its mirrors are others.

        Its event comes a moment before the mirrors are in force, and nothing announces that.
        """
        facts = await self.context.engine.facts()
        deadline = time.monotonic() + _SECONDS_TO_TAKE_EFFECT
        while facts.mirrors != wanted and time.monotonic() < deadline:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            facts = await self.context.engine.facts()
        return facts
