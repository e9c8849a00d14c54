# SPDX-License-Identifier: LGPL-2.1-or-later
"""The router without a bus: replies, signals and name owners."""

from __future__ import annotations

import pytest

from dockmgrd.bus.dbusnext import Message, MessageType, marshal
from dockmgrd.bus.frames import Frame, FrameSplitter
from dockmgrd.bus.messages import DBUS, DBUS_PATH, Match, make_bus_call, make_call
from dockmgrd.bus.router import Pending, Router
from dockmgrd.errors import NoReply, RemoteError

NAME = "org.example.Sender"
DONE = Match(NAME, "org.example.Thing", "Done", "/thing")


def members(calls: list[Pending]) -> list[str]:
    return [each.call.member for each in calls]


def reply(router: Router, pending: Pending, signature: str = "", *body: object) -> None:
    router.dispatch(
        Message(
            message_type=MessageType.METHOD_RETURN,
            reply_serial=pending.call.serial,
            signature=signature,
            body=list(body),
        )
    )


def refuse(router: Router, pending: Pending, name: str) -> None:
    router.dispatch(
        Message(
            message_type=MessageType.ERROR, reply_serial=pending.call.serial, error_name=DBUS + name
        )
    )


def done(sender: str, number: int = 1) -> Message:
    message = Message.new_signal("/thing", "org.example.Thing", "Done", "u", [number])
    message.sender = sender
    return message


def owner_changed(name: str, owner: str, sender: str = DBUS) -> Message:
    body = [name, "", owner]
    message = Message.new_signal(DBUS_PATH, DBUS, "NameOwnerChanged", "sss", body)
    message.sender = sender
    return message


def to_frame(message: Message) -> Frame:
    """The frame as it comes from the bus, which adds the sender."""
    sender, message.serial = message.sender, message.serial or 1
    [frame] = FrameSplitter(1 << 20).split(marshal(message))
    frame.fields[7] = sender
    return frame


def subscribe(router: Router, heard: list[int], owner: str = ":1.5") -> None:
    """Subscribe as a driver does whose bus replies at once."""
    calls = router.subscribe(DONE, lambda message: heard.append(message.body[0]))
    assert members(calls) == ["AddMatch", "GetNameOwner", "AddMatch"]
    for each in calls:
        reply(router, each, *(("s", owner) if each.call.member == "GetNameOwner" else ()))
        each.get_values()


def test_serials_are_unique_and_replies_find_their_calls() -> None:
    router = Router()
    calls = [router.call(make_bus_call("GetId")) for _ in range(3)]
    assert len({each.call.serial for each in calls}) == 3
    finished: list[int] = []
    for index, each in enumerate(calls):
        each.set_callback(lambda index=index: finished.append(index))  # type: ignore[misc]
    reply(router, calls[2], "s", "x")
    reply(router, calls[0])
    reply(router, calls[0])
    assert finished == [2, 0]
    assert calls[2].get_values() == ["x"]
    assert [each.is_done for each in calls] == [True, False, True]
    assert router.pending_calls == 1


def test_only_awaited_replies_and_signals_of_the_owner_are_wanted() -> None:
    router, heard = Router(), list[int]()
    subscribe(router, heard)
    pending = router.call(make_call(":1.9", "/", "org.example.Thing", "Ponder"))
    answer = Message(
        message_type=MessageType.METHOD_RETURN, reply_serial=pending.call.serial, sender=":1.9"
    )
    assert router.wants(to_frame(answer))
    router.forget(pending)
    assert not router.wants(to_frame(answer)), "nobody waits any more"
    assert router.wants(to_frame(done(":1.5")))
    assert not router.wants(to_frame(done(":1.6")))
    assert not router.wants(to_frame(make_call(":1.1", "/", "org.example.Thing", "Done")))
    for sender in (":1.6", NAME, DBUS, ":1.5"):
        router.dispatch(done(sender, ord(sender[-1])))
    assert heard == [ord("5")]


def test_a_signal_that_is_too_long_is_not_wanted() -> None:
    router = Router()
    subscribe(router, [])
    message = Message.new_signal("/thing", "org.example.Thing", "Done", "s", ["x" * 5000])
    message.serial = 1
    [frame] = FrameSplitter(2000).split(marshal(message))
    frame.fields[7] = ":1.5"
    assert frame.too_long
    assert not router.wants(frame)


def test_the_owner_is_followed() -> None:
    router, heard = Router(), list[int]()
    owners: list[str] = []
    subscribe(router, heard, owner="")
    assert router.follow_owner(NAME, owners.append) == [], "the name is tracked already"
    assert router.get_owner(NAME) == ""
    router.dispatch(done(":1.6", 1))
    router.dispatch(owner_changed(NAME, ":1.7"))
    router.dispatch(owner_changed(NAME, ":1.66", sender=":1.66"))
    router.dispatch(done(":1.7", 2))
    router.dispatch(done(":1.66", 3))
    router.dispatch(owner_changed(NAME, ""))
    router.dispatch(done(":1.7", 4))
    assert (heard, owners) == ([2], [":1.7", ""])


def test_a_change_of_owner_before_the_reply_counts_until_the_reply() -> None:
    router = Router()
    _, request, _ = router.subscribe(DONE, lambda _: None)
    router.dispatch(owner_changed(NAME, ":1.7"))
    assert router.get_owner(NAME) == ":1.7"
    reply(router, request, "s", ":1.8")
    assert router.get_owner(NAME) == ":1.8", "the bus replies after it has sent the signal"


def test_a_name_without_owner_is_no_error_and_other_errors_are() -> None:
    router = Router()
    _, request, _ = router.subscribe(DONE, lambda _: None)
    refuse(router, request, ".Error.NameHasNoOwner")
    assert request.get_values() == [""]
    _, request, _ = router.subscribe(Match("org.x", "org.x", "X"), lambda _: None)
    refuse(router, request, ".Error.AccessDenied")
    with pytest.raises(RemoteError):
        request.get_values()


@pytest.mark.parametrize("sender", [DBUS, ":1.5"])
def test_the_bus_and_unique_names_are_their_own_owners(sender: str) -> None:
    router, heard = Router(), list[str]()
    calls = router.subscribe(Match(sender, "org.x", "X"), lambda each: heard.append(each.sender))
    assert members(calls) == ["AddMatch"]
    for each in (sender, ":1.6"):
        message = Message.new_signal("/", "org.x", "X")
        message.sender = each
        router.dispatch(message)
    assert heard == [sender]


def test_a_match_is_added_once_and_removed_with_its_last_handler() -> None:
    router, heard = Router(), list[int]()
    subscribe(router, heard)

    def other(message: Message) -> None:
        heard.append(-message.body[0])

    assert router.subscribe(DONE, other) == []
    router.dispatch(done(":1.5", 1))
    assert router.unsubscribe(DONE, print) == []
    assert router.unsubscribe(DONE, other) == []
    router.dispatch(done(":1.5", 2))
    assert heard == [1, -1, 2]


def test_a_handler_can_end_its_own_subscription() -> None:
    router, sent = Router(), list[Message]()

    def once(_: Message) -> None:
        sent.extend(router.unsubscribe(DONE, once))

    router.subscribe(DONE, once)
    router.dispatch(owner_changed(NAME, ":1.5"))
    router.dispatch(done(":1.5"))
    router.dispatch(done(":1.5"))
    [message] = sent
    assert (message.member, message.body, bool(message.serial)) == (
        "RemoveMatch",
        [DONE.to_rule()],
        True,
    )
    assert router.unsubscribe(DONE, once) == []
    assert not router.wants(to_frame(done(":1.5")))


def test_the_end_of_the_connection_ends_every_call() -> None:
    router = Router()
    calls = [router.call(make_bus_call("GetId")) for _ in range(2)]
    ended: list[int] = []
    for each in calls:
        each.set_callback(lambda: ended.append(1))
    router.close()
    router.close()
    assert (ended, router.pending_calls) == ([1, 1], 0)
    for each in calls:
        with pytest.raises(NoReply, match="ended"):
            each.get_values()
