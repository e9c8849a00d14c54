# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changing the mirrors of a running engine without a restart, and rolling back a failed change.

Facts of moby's daemon/reload.go: a key that daemon.json does not have keeps the value it had, and
an engine that cannot read the file keeps everything, which only its log tells.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from dockmgrd import paths
from dockmgrd.enums import Stage
from dockmgrd.errors import RolledBack, ServiceFailed
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors.change import Change
from dockmgrd.job.mirrors.engine_control import EngineControl
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Template, Text
from dockmgrd.mirror_urls import normalize_known

_RELOAD_TIMEOUT = 15.0
_EFFECT_TIMEOUT = 1.0
_MIN_ANSWERS = 100
"""How often the engine is asked at least: on a busy machine a second is nothing to it."""
_SECONDS_BETWEEN_POLLS = 0.003


@dataclass
class LiveChange:
    """A change under a running engine; `former` is what the engine said before."""

    context: JobContext
    change: Change
    former: EngineFacts
    control: EngineControl

    async def apply(self) -> bool:
        """Write, reload, verify; False when the engine has been stopped by others meanwhile.

        :raises RolledBack: when the engine does not take a new file; all is as it was.
        :raises ServiceFailed: when it cannot be made to reload, or does not take a file that names
            the mirrors already; the file is as it was.
        """
        wanted = self.change.wanted
        written = self.change.is_needed(self.former.mirrors)
        if written:
            self.context.report(Stage.CONFIGURING, 0.4)
            self.change.write()
        elif self.former.mirrors == wanted:
            return True
        self.context.report(Stage.VERIFYING, 0.6, messages.RELOADING_ENGINE())
        try:
            facts = await self._reload_engine(wanted)
        except ServiceFailed:
            if written:
                self.change.restore()
            raise
        if facts is None:
            return False
        if facts.mirrors != wanted:
            if written:
                await self._roll_back(facts)
                raise RolledBack(_describe_refusal(messages.MIRRORS_NOT_TAKEN, facts, wanted))
            raise ServiceFailed(_describe_refusal(messages.FILE_NOT_TAKEN, facts, wanted))
        await self._restore_insecure(facts)
        return True

    async def _roll_back(self, facts: EngineFacts) -> None:
        """Restore the engine and the file.

        A former file that does not name the engine's mirrors would not restore them.
        """
        if facts.mirrors == self.former.mirrors:
            self.change.restore()
        elif normalize_known(self.change.document.mirrors) == self.former.mirrors:
            self.change.restore()
            await self._reload_engine(self.former.mirrors)
        else:
            self.change.write_former_with(self.former.mirrors)
            await self._reload_engine(self.former.mirrors)
            self.change.restore()

    async def _restore_insecure(self, facts: EngineFacts) -> None:
        """Restore the insecure registries that engines before 23.0.7 and 24.0.1 forget.

        They load them and then the mirrors, which drops them:
        https://github.com/moby/moby/pull/45552. With a file without mirrors they load the
        registries alone, and keep their mirrors.
        """
        lost = self._list_forgotten(facts)
        if not lost:
            return
        self.change.write_without_mirrors()
        again = await self._reload_engine(self.change.wanted)
        self.change.write_again()
        if again is not None and self._list_forgotten(again):
            note = messages.INSECURE_REGISTRIES_FORGOTTEN(registries=lost)
            remedy = messages.RESTART_ENGINE()
            self.context.add_note(note.with_remedy(remedy, "systemctl restart docker"))

    def _list_forgotten(self, facts: EngineFacts) -> list[str]:
        """The insecure registries of daemon.json that the engine had and does not have now."""
        named = self.change.document.insecure
        return [each for each in named if each in self.former.insecure - facts.insecure]

    async def _reload_engine(self, wanted: tuple[str, ...]) -> EngineFacts | None:
        """The facts of the engine after a reload; None when it was stopped.

        A reload during a restart by others may be lost, and is repeated.
        """
        facts = None
        for _ in range(2):
            facts = await self._reload_once(wanted)
            if facts is not None:
                return facts
            if await self.control.is_stopped():
                return None
            facts = await self._await_effect(wanted)
            if facts.mirrors == wanted:
                break
        return facts

    async def _reload_once(self, wanted: tuple[str, ...]) -> EngineFacts | None:
        """Reload the engine once; None when the engine goes away meanwhile.

        The only sign of a failed reload is a missing event, so that wait is bounded. The engine
        has often finished before systemd says so, and is asked as soon as its event comes.
        """
        async with self.context.engine.open_reload_events() as events:
            confirmation = asyncio.ensure_future(self._await_event(events, wanted))
            try:
                await self.control.reload()
                await asyncio.wait({confirmation}, timeout=_RELOAD_TIMEOUT)
            finally:
                late = confirmation.cancel()
        if late:
            self.context.add_note(messages.RELOAD_NOT_CONFIRMED())
        elif not isinstance(confirmation.exception(), ServiceFailed):
            facts = confirmation.result()
            if facts is None or facts.mirrors == wanted:
                return facts
        # The event may belong to another reload, or the engine was restarted after it.
        return await self._await_effect(wanted)

    async def _await_event(
        self, events: asyncio.StreamReader, wanted: tuple[str, ...]
    ) -> EngineFacts | None:
        """The facts of the engine after its event; None when it goes away instead."""
        return await self._await_effect(wanted) if await events.readline() else None

    async def _await_effect(self, wanted: tuple[str, ...]) -> EngineFacts:
        """The facts of the engine, polled while its mirrors differ.

        The event comes a moment before the mirrors are in force, and nothing announces that. The
        engine has a second for it, and as long as it takes it to give so many answers.
        """
        facts = await self.context.engine.facts()
        deadline, answers = time.monotonic() + _EFFECT_TIMEOUT, 1
        while facts.mirrors != wanted and (time.monotonic() < deadline or answers < _MIN_ANSWERS):
            await asyncio.sleep(_SECONDS_BETWEEN_POLLS)
            facts = await self.context.engine.facts()
            answers += 1
        return facts


def _describe_refusal(template: Template, facts: EngineFacts, wanted: tuple[str, ...]) -> Text:
    """The sentence about an engine that took other mirrors; `facts` are those after the reload."""
    text = template(
        actual=facts.mirrors or [messages.NO_MIRRORS()],
        wanted=wanted or [messages.NO_MIRRORS()],
        file=str(paths.DAEMON_JSON),
    )
    return text.with_remedy(messages.LOOK_AT_ENGINE_LOG(), "journalctl -u docker")
