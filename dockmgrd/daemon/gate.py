# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where every verb passes: the caller is looked up, polkit asked, and the journal told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dockmgrd.actions import Question
from dockmgrd.bus.interface import Caller
from dockmgrd.daemon import audit
from dockmgrd.daemon.callers import Callers
from dockmgrd.daemon.polkit import Polkit
from dockmgrd.errors import DockmgrError
from dockmgrd.model import Kind


@dataclass(frozen=True)
class Gate:
    """Lets requests through, or not."""

    callers: Callers
    polkit: Polkit

    async def enter(
        self,
        verb: Kind | str,
        who: Caller,
        asked: Iterable[Question],
        *,
        limits: Callable[[], None] = lambda: None,
    ) -> int:
        """The caller's user id, when all of what is asked may be done.

        :param limits: raises when the administrator's limits forbid it to everybody.
        :raises DockmgrError: what `limits` and `Polkit.authorize` raise.
        """
        asked = tuple(asked)
        by = await self.callers.identify(who)
        try:
            limits()
            for question in asked:
                await self.polkit.authorize(who, by.uid, question.action, question.details)
        except DockmgrError as error:
            await audit.denied(verb, by, error, asked)
            raise
        await audit.allowed(verb, by, asked)
        return by.uid

    async def invalid(self, verb: Kind | str, who: Caller, error: DockmgrError) -> None:
        """Record that what was asked for makes no sense, so that nobody was asked about it."""
        await audit.invalid(verb, await self.callers.identify(who), error)
