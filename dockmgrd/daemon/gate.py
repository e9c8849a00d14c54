# SPDX-License-Identifier: LGPL-2.1-or-later
"""The check that every verb passes: identify the caller, ask polkit, and record the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dockmgrd.bus.interface import Caller
from dockmgrd.daemon import audit
from dockmgrd.daemon.callers import Callers
from dockmgrd.daemon.polkit import Polkit
from dockmgrd.enums import Kind
from dockmgrd.errors import DockmgrError
from dockmgrd.model import Authorization


@dataclass(frozen=True)
class Gate:
    """Lets requests through, or not."""

    callers: Callers
    polkit: Polkit

    async def enter(
        self,
        verb: Kind | str,
        caller: Caller,
        authorizations: Iterable[Authorization],
        *,
        check_limits: Callable[[], None] = lambda: None,
    ) -> audit.Identity:
        """Return who the caller is if the caller has all of the authorizations.

        :param check_limits: raises if the administrator's limits forbid the request to everybody.
        :raises DockmgrError: what `check_limits` and `Polkit.authorize` raise.
        """
        authorizations = tuple(authorizations)
        identity = await self.callers.identify(caller)
        try:
            check_limits()
            for each in authorizations:
                await self.polkit.authorize(caller, identity.uid, each.action, each.details)
        except DockmgrError as error:
            await audit.record_denied(verb, identity, error, authorizations)
            raise
        await audit.record_allowed(verb, identity, authorizations)
        return identity

    async def record_invalid(self, verb: Kind | str, caller: Caller, error: DockmgrError) -> None:
        """Record a request that is not valid, so that polkit was not asked about it."""
        await audit.record_invalid(verb, await self.callers.identify(caller), error)
