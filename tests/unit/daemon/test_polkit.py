# SPDX-License-Identifier: LGPL-2.1-or-later
"""polkit in each of its states, imitated by the test on a bus of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bed.limits import HANG_TIMEOUT
from dockmgrd import errors
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.client import Bus
from dockmgrd.bus.exports import Exports
from dockmgrd.bus.interface import Caller, ObjectInterface
from dockmgrd.daemon import polkit
from dockmgrd.daemon.polkit import Polkit

ACTION = "org.dockmgr1.set-mirror"
AUTHORITY = interfaces.parse(
    """<node><interface name="org.freedesktop.PolicyKit1.Authority">
    <method name="CheckAuthorization">
      <arg name="subject" type="(sa{sv})" direction="in"/>
      <arg name="action" type="s" direction="in"/>
      <arg name="details" type="a{ss}" direction="in"/>
      <arg name="flags" type="u" direction="in"/>
      <arg name="id" type="s" direction="in"/>
      <arg name="result" type="(bba{ss})" direction="out"/>
    </method>
    <method name="CancelCheckAuthorization">
      <arg name="id" type="s" direction="in"/>
    </method>
    </interface></node>"""
)


class FakeAuthority(ObjectInterface):
    """Answers as `answers` says by action, or never."""

    interface = AUTHORITY

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, tuple[bool, bool, dict[str, str]]] = {}
        self.asked: list[tuple[str, dict[str, str], int, str]] = []
        self.was_asked = asyncio.Event()
        self.cancelled: list[str] = []
        self.was_cancelled = asyncio.Event()

    async def check_authorization(
        self, _: Any, action: str, details: dict[str, str], flags: int, question: str
    ) -> list[Any]:
        self.asked.append((action, details, flags, question))
        self.was_asked.set()
        if action not in self.answers:
            await asyncio.Event().wait()
        return list(self.answers[action])

    async def cancel_check_authorization(self, question: str) -> None:
        self.cancelled.append(question)
        self.was_cancelled.set()


@pytest_asyncio.fixture
async def authority(bus_address: str) -> AsyncIterator[FakeAuthority]:
    async with Bus(bus_address) as bus:
        authority = FakeAuthority()
        exports = Exports(bus, "/")
        exports.add("/org/freedesktop/PolicyKit1/Authority", authority)
        await bus.own_name("org.freedesktop.PolicyKit1")
        yield authority
        await exports.drain(at_once=True)


@pytest_asyncio.fixture
async def client(service_bus: Bus) -> Polkit:
    client = Polkit(service_bus)
    await client.follow_callers()
    return client


def caller_on(bus: Bus, *, interactive: bool = False) -> Caller:
    return Caller(str(bus.unique_name), interactive)


async def test_details_go_with_the_question(
    client: Polkit, authority: FakeAuthority, client_bus: Bus
) -> None:
    authority.answers[ACTION] = (True, False, {})
    await client.authorize(caller_on(client_bus), 1000, ACTION, {"mirrors": "https://m.example/"})
    [(action, details, flags, _)] = authority.asked
    assert (action, details, flags) == (ACTION, {"mirrors": "https://m.example/"}, 0)


@pytest.mark.parametrize(
    ("interactive", "answer", "error", "text"),
    [
        (False, (False, True, {}), errors.InteractiveAuthorizationRequired, "requires authent"),
        (
            True,
            (False, True, {}),
            errors.AccessDenied,
            "no polkit authentication agent is available",
        ),
        (True, (False, False, {"polkit.dismissed": "true"}), errors.AccessDenied, "dismissed"),
        (True, (False, False, {}), errors.AccessDenied, "password was wrong"),
        (False, (False, False, {}), errors.AccessDenied, "User 1000 is not authorized"),
    ],
)
async def test_each_no_has_its_reason(
    client: Polkit,
    authority: FakeAuthority,
    client_bus: Bus,
    *,
    interactive: bool,
    answer: tuple[bool, bool, dict[str, str]],
    error: type[errors.DockmgrError],
    text: str,
) -> None:
    authority.answers[ACTION] = answer
    with pytest.raises(error, match=text):
        await client.authorize(caller_on(client_bus, interactive=interactive), 1000, ACTION, {})


async def test_a_silent_polkit_refuses_in_time_and_the_question_is_withdrawn(
    client: Polkit,
    authority: FakeAuthority,
    client_bus: Bus,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polkit, "ANSWER_TIMEOUT", 0.05)
    with pytest.raises(errors.AccessDenied, match="did not answer in time"):
        await client.authorize(caller_on(client_bus), 1000, ACTION, {})
    await asyncio.wait_for(authority.was_cancelled.wait(), HANG_TIMEOUT)
    assert authority.cancelled == [authority.asked[0][3]]
    await client.authorize(caller_on(client_bus), 0, ACTION, {})  # root is not asked about


async def test_a_caller_who_leaves_takes_the_question_along(
    client: Polkit, authority: FakeAuthority, bus_address: str
) -> None:
    leaving = await Bus(bus_address).connect()
    question = asyncio.ensure_future(
        client.authorize(caller_on(leaving, interactive=True), 1000, ACTION, {})
    )
    await asyncio.wait_for(authority.was_asked.wait(), HANG_TIMEOUT)
    leaving.disconnect()
    with pytest.raises(errors.AccessDenied, match="left the bus"):
        await asyncio.wait_for(question, HANG_TIMEOUT)
    await asyncio.wait_for(authority.was_cancelled.wait(), HANG_TIMEOUT)


async def test_a_daemon_that_stops_withdraws_its_questions(
    client: Polkit, authority: FakeAuthority, client_bus: Bus
) -> None:
    question = asyncio.ensure_future(
        client.authorize(caller_on(client_bus, interactive=True), 1000, ACTION, {})
    )
    await asyncio.wait_for(authority.was_asked.wait(), HANG_TIMEOUT)
    question.cancel()
    await asyncio.wait_for(authority.was_cancelled.wait(), HANG_TIMEOUT)


async def test_a_polkit_that_is_not_there(client: Polkit, client_bus: Bus) -> None:
    with pytest.raises(errors.AccessDenied, match="cannot be asked"):
        await client.authorize(caller_on(client_bus), 1000, ACTION, {})
    who = caller_on(client_bus)
    assert await client.permissions(who, 1000, [ACTION]) == {ACTION: "no"}
    assert await client.permissions(who, 0, [ACTION]) == {ACTION: "yes"}


async def test_a_polkit_that_ends_over_a_question(
    client: Polkit, client_bus: Bus, bus_address: str
) -> None:
    bus = await Bus(bus_address).connect()
    authority = FakeAuthority()
    exports = Exports(bus, "/")
    exports.add("/org/freedesktop/PolicyKit1/Authority", authority)
    await bus.own_name("org.freedesktop.PolicyKit1")
    question = asyncio.ensure_future(client.authorize(caller_on(client_bus), 1000, ACTION, {}))
    await asyncio.wait_for(authority.was_asked.wait(), HANG_TIMEOUT)
    bus.disconnect()
    with pytest.raises(errors.AccessDenied, match="cannot be asked"):
        await asyncio.wait_for(question, HANG_TIMEOUT)
    await exports.drain(at_once=True)


async def test_permissions_ask_nobody(
    client: Polkit, authority: FakeAuthority, client_bus: Bus
) -> None:
    authority.answers = {"a": (True, False, {}), "b": (False, True, {}), "c": (False, False, {})}
    who = caller_on(client_bus, interactive=True)
    assert await client.permissions(who, 1000, "abc") == {"a": "yes", "b": "auth", "c": "no"}
    assert {flags for _, _, flags, _ in authority.asked} == {0}
