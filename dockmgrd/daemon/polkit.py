# SPDX-License-Identifier: LGPL-2.1-or-later
"""The client of polkit. Where polkit cannot be asked, only root is authorized."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag, Variant
from dockmgrd.bus.interface import Caller
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match
from dockmgrd.bus.quota import Quota
from dockmgrd.errors import (
    AccessDenied,
    DockmgrError,
    InteractiveAuthorizationRequired,
    NoReply,
    RemoteError,
)
from dockmgrd.messages import requests as messages
from dockmgrd.messages.bus import TOO_MANY_AUTHORIZATIONS

_POLKIT = "org.freedesktop.PolicyKit1"
_PATH = "/org/freedesktop/PolicyKit1/Authority"
_AUTHORITY = "org.freedesktop.PolicyKit1.Authority"

_ALLOW_USER_INTERACTION = 1
_DISMISSED = "polkit.dismissed"
MAX_QUESTIONS_OF_USER = 4
# Long enough for a busy host, and below the 25 s after which most D-Bus clients give up.
ANSWER_TIMEOUT = 20.0
DIALOG_TIMEOUT = 120.0

_STATUS_COMMAND = "systemctl status polkit"

YES, AUTH, NO = "yes", "auth", "no"


@dataclass(frozen=True)
class _Answer:
    """polkit's: yes, or whether it would be yes after a proof; `dismissed` by the person asked."""

    authorized: bool
    challenge: bool
    dismissed: bool


class Polkit:
    """Client of polkitd. The subject is always the caller's unique bus name, never a PID."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._questions = Quota(MAX_QUESTIONS_OF_USER, TOO_MANY_AUTHORIZATIONS)
        self._leavings: dict[str, set[asyncio.Future[None]]] = {}

    async def follow_callers(self) -> None:
        """Give up a question when its caller leaves the bus. Needed once, before any question."""
        left = Match(DBUS, DBUS, "NameOwnerChanged", DBUS_PATH, arg2="")
        await self._bus.subscribe(left, self._on_left)

    async def authorize(
        self, caller: Caller, uid: int, action: str, details: Mapping[str, str]
    ) -> None:
        """Return when the caller may do the action.

        :param uid: the caller's, as the bus knows it.
        :param details: what the action is about, for the admin's rules and the user's dialogue.
        :raises InteractiveAuthorizationRequired: when a person has to prove who they are, and
            the caller did not allow to ask.
        :raises AccessDenied: when the answer is no, or there is no answer.
        :raises LimitsExceeded: when the user has too many questions open.
        """
        if uid == 0:
            return
        with self._questions.share(uid):
            answer = await self._ask(caller, action, details)
        if not answer.authorized:
            raise _make_refusal(answer, caller, uid, action)

    async def permissions(self, caller: Caller, uid: int, actions: Iterable[str]) -> dict[str, str]:
        """Whether the caller may do each action: "yes", after a proof ("auth"), or "no".

        polkit shows no dialog and gets no details, so a rule that uses details decides only for the
        request itself. If polkit does not reply, the result is "no".

        :raises LimitsExceeded: when the user has too many questions open.
        """
        actions = tuple(actions)
        if uid == 0:
            return dict.fromkeys(actions, YES)
        silent = Caller(caller.sender, interactive=False)
        with self._questions.share(uid):
            answers = await asyncio.gather(*(self._permission(silent, each) for each in actions))
        return dict(zip(actions, answers))

    async def _permission(self, caller: Caller, action: str) -> str:
        try:
            answer = await self._ask(caller, action, {})
        except AccessDenied:
            return NO
        if answer.authorized:
            return YES
        return AUTH if answer.challenge else NO

    async def _ask(self, caller: Caller, action: str, details: Mapping[str, str]) -> _Answer:
        """polkit's answer.

        :raises AccessDenied: when there is none: polkit is silent or gone, or the caller is.
        """
        question = os.urandom(16).hex()
        flags = _ALLOW_USER_INTERACTION if caller.interactive else 0
        subject = ["system-bus-name", {"name": Variant("s", caller.sender)}]
        body = [subject, action, dict(details), flags, question]
        answered = False
        try:
            [[authorized, challenge, outcome]] = await self._while_there(caller, body)
            answered = True
        except NoReply as error:
            text = messages.POLKIT_SILENT().with_remedy(messages.SEE_POLKIT(), _STATUS_COMMAND)
            raise AccessDenied(text) from error
        except RemoteError as error:
            answered = True
            text = messages.POLKIT_GONE(reason=error.name)
            text = text.with_remedy(messages.SEE_POLKIT(), _STATUS_COMMAND)
            raise AccessDenied(text) from error
        finally:
            if not answered:
                self._withdraw(question)
        return _Answer(bool(authorized), bool(challenge), _DISMISSED in outcome)

    async def _while_there(self, caller: Caller, body: list[Any]) -> list[Any]:
        """The reply to CheckAuthorization, awaited for as long as the caller is there.

        :raises AccessDenied: when the caller has left; NoReply, RemoteError: as `Bus.call`.
        """
        seconds = DIALOG_TIMEOUT if caller.interactive else ANSWER_TIMEOUT
        call: asyncio.Future[Any] = asyncio.ensure_future(
            self._bus.call(
                *(_POLKIT, _PATH, _AUTHORITY, "CheckAuthorization", "(sa{sv})sa{ss}us", body),
                timeout=seconds,
            )
        )
        # Seen also when the caller leaves in the very moment in which polkit answers with an error.
        call.add_done_callback(lambda done: done.cancelled() or done.exception())
        with self._leaving(caller.sender) as left:
            ends: tuple[asyncio.Future[Any], ...] = (call, left)
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                if not call.done():
                    raise AccessDenied(messages.CALLER_LEFT_POLKIT())
                body_of_reply: list[Any] = call.result()
                return body_of_reply
            finally:
                if not call.done():
                    call.cancel()

    @contextmanager
    def _leaving(self, sender: str) -> Iterator[asyncio.Future[None]]:
        """A future that is done when the connection leaves the bus."""
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._leavings.setdefault(sender, set())
        waiting.add(left)
        try:
            yield left
        finally:
            waiting.discard(left)
            if not waiting and self._leavings.get(sender) is waiting:
                del self._leavings[sender]

    def _on_left(self, message: Message) -> None:
        for left in self._leavings.get(message.body[0], ()):
            if not left.done():
                left.set_result(None)

    def _withdraw(self, question: str) -> None:
        """Take the question back, so that no dialogue stays open for it."""
        self._bus.send(
            Message(
                destination=_POLKIT,
                path=_PATH,
                interface=_AUTHORITY,
                member="CancelCheckAuthorization",
                signature="s",
                body=[question],
                flags=MessageFlag.NO_REPLY_EXPECTED | MessageFlag.NO_AUTOSTART,
            )
        )


def _make_refusal(answer: _Answer, caller: Caller, uid: int, action: str) -> DockmgrError:
    """The error for an answer that is not yes."""
    if answer.dismissed:
        text = messages.DIALOG_DISMISSED(action=action)
        return AccessDenied(text.with_remedy(messages.REQUEST_AGAIN()))
    if answer.challenge and not caller.interactive:
        text = messages.AUTHENTICATION_NEEDED(action=action)
        return InteractiveAuthorizationRequired(text.with_remedy(messages.AUTHENTICATE()))
    if answer.challenge:
        text = messages.NO_AGENT(action=action)
        return AccessDenied(text.with_remedy(messages.AUTHENTICATE()))
    template = messages.NOT_AUTHENTICATED if caller.interactive else messages.NOT_AUTHORIZED
    text = template(action=action, uid=str(uid))
    return AccessDenied(text.with_remedy(messages.ADD_RULE()))
