# SPDX-License-Identifier: LGPL-2.1-or-later
"""May this caller do that? polkit knows; where it cannot be asked, root alone may."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from dockmgrd.bus import Bus
from dockmgrd.dbusnext import Variant
from dockmgrd.errors import (
    AccessDenied,
    InteractiveAuthorizationRequired,
    NoReply,
    RemoteError,
)
from dockmgrd.face import Caller
from dockmgrd.quota import Quota

_POLKIT = "org.freedesktop.PolicyKit1"
_PATH = "/org/freedesktop/PolicyKit1/Authority"
_AUTHORITY = "org.freedesktop.PolicyKit1.Authority"

_ALLOW_USER_INTERACTION = 1
_SECONDS_TO_ANSWER = 10.0
_SECONDS_FOR_A_PERSON = 120.0
_QUESTIONS_PER_USER = 4


class Polkit:
    """Client of polkitd. The subject is always the caller's unique bus name, never a PID."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._questions = Quota(_QUESTIONS_PER_USER, "requests waiting for authorization")

    async def uid(self, caller: Caller) -> int:
        """The user of the caller's connection, as the bus knows it.

        :raises AccessDenied: when the caller has left the bus.
        """
        try:
            [uid] = await self._bus.call_bus("GetConnectionUnixUser", "s", caller.sender)
        except RemoteError as error:
            raise AccessDenied("The caller has left the bus before it was known.") from error
        return int(uid)

    async def authorize(
        self, caller: Caller, uid: int, action: str, details: Mapping[str, str]
    ) -> None:
        """Return when the caller may do the action.

        :param uid: the caller's, from `uid`.
        :param details: what the action is about, for the admin's rules and the user's dialogue.
        :raises InteractiveAuthorizationRequired: when a person has to prove who they are, and
            the caller did not allow to ask.
        :raises AccessDenied: when the answer is no, or there is no answer.
        :raises LimitsExceeded: when the user has too many questions open.
        """
        if uid == 0:
            return
        with self._questions.share(f"User {uid}"):
            authorized, challenge = await self._ask(caller, action, details)
        if authorized:
            return
        if challenge and not caller.interactive:
            raise InteractiveAuthorizationRequired(
                f"Action {action} needs authentication; run dockmgrctl on a terminal, "
                "or have an administrator allow it by a polkit rule."
            )
        if challenge:
            raise AccessDenied(
                f"Nobody proved to be allowed {action}: there was no agent to ask for a password, "
                "or the answer was wrong; try again, or have an administrator add a polkit rule."
            )
        raise AccessDenied(
            f"Action {action} is not allowed for user {uid}; "
            "an administrator can allow it by a polkit rule."
        )

    async def _ask(
        self, caller: Caller, action: str, details: Mapping[str, str]
    ) -> tuple[bool, bool]:
        """Whether polkit says yes, and whether it would after a challenge."""
        question = uuid.uuid4().hex
        subject = ["system-bus-name", {"name": Variant("s", caller.sender)}]
        flags = _ALLOW_USER_INTERACTION if caller.interactive else 0
        try:
            [[authorized, challenge, _]] = await self._bus.call(
                _POLKIT,
                _PATH,
                _AUTHORITY,
                "CheckAuthorization",
                "(sa{sv})sa{ss}us",
                [subject, action, dict(details), flags, question],
                timeout=_SECONDS_FOR_A_PERSON if caller.interactive else _SECONDS_TO_ANSWER,
            )
        except NoReply as error:
            await self._withdraw(question)
            raise AccessDenied(
                "polkit did not answer in time, and without it only root may do this; "
                "'systemctl status polkit' tells more."
            ) from error
        except RemoteError as error:
            raise AccessDenied(
                f"polkit cannot be asked ({error.name}), and without it only root may do this; "
                "'systemctl status polkit' tells more."
            ) from error
        return bool(authorized), bool(challenge)

    async def _withdraw(self, question: str) -> None:
        """Take the question back, so that no dialogue stays open for it."""
        try:
            await self._bus.call(
                _POLKIT,
                _PATH,
                _AUTHORITY,
                "CancelCheckAuthorization",
                "s",
                [question],
                timeout=1.0,
            )
        except (RemoteError, NoReply):
            return
