# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests and events arrive as they were sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import pytest

from dockmgrd.codec import decode_record, encode_record
from dockmgrd.enums import Stage
from dockmgrd.messages import dnf as messages
from dockmgrd.model import Numbers
from dockmgrd.worker.protocol import (
    Change,
    Event,
    InstallPackages,
    ListPackages,
    Outcome,
    ProgressEvent,
    RemovePackages,
    Request,
    ResolvedEvent,
    WritingEvent,
    decode_event,
    decode_request,
    encode,
)

INSTALL = InstallPackages(
    names=("docker-ce", "containerd.io"),
    version="28.5.1",
    versioned=("docker-ce",),
    repository="docker-ce-stable",
    key_file="/key",
    fingerprint="0" * 40,
    weak_dependencies=True,
    allow_removals=False,
    upgrade=True,
    urls=("https://example.org/containerd.rpm",),
    lock_wait=5,
)
REASON = messages.CONFLICTS_WITH(package="docker-ce")
CHANGE = Change("remove", "podman-docker-4:5.4.0-1.el8.noarch", reason=REASON)
REQUESTS: Sequence[Request] = (
    INSTALL,
    RemovePackages(names=("docker-ce",), allow_removals=True),
    ListPackages(
        names=("docker-ce",), repository="r", key_file="/key", fingerprint="0", base_url="file:///"
    ),
)
EVENTS: Sequence[Event] = (
    ProgressEvent(Stage.DOWNLOADING, 0.5, REASON, Numbers(bytes_done=7)),
    ResolvedEvent((CHANGE,), (REASON,)),
    WritingEvent(writing=True),
    Outcome(changed=True, installed=("docker-ce-3:28.5.1-1.el8.x86_64",), notes=(REASON,)),
    Outcome(error_name="org.dockmgr1.Error.Internal", error=REASON, missing=("containerd.io",)),
)


@pytest.mark.parametrize("request_", REQUESTS)
def test_requests(request_: Request) -> None:
    received = decode_request(encode(request_))
    assert received == request_
    assert type(received) is type(request_)


@pytest.mark.parametrize("event", EVENTS)
def test_events(event: Event) -> None:
    line = encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    received = decode_event(line)
    assert type(received) is type(event)
    assert encode(received) == line


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"request": "unknown"}', b"null"])
def test_what_is_not_a_request(line: bytes) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        decode_request(line)


def test_records_are_values() -> None:
    """They compare by their fields, are frozen, and have a hash; copies differ where they say."""
    assert replace(INSTALL) == INSTALL
    assert hash(replace(INSTALL)) == hash(INSTALL)
    changed = replace(INSTALL, version="28.5.2")
    assert (changed.version, changed.names) == ("28.5.2", INSTALL.names)
    assert changed != INSTALL
    with pytest.raises(AttributeError):
        INSTALL.version = "28.5.3"  # type: ignore[misc]
    with pytest.raises(TypeError):
        replace(INSTALL, unknown=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        WritingEvent()  # type: ignore[call-arg]
    assert [each.name for each in fields(Numbers)] == [
        *("bytes_done", "bytes_total", "rate", "item", "items")
    ]
    assert repr(Numbers(rate=3)) == "Numbers(bytes_done=0, bytes_total=0, rate=3, item=0, items=0)"
    assert decode_record(Numbers, encode_record(Numbers(rate=3))) == Numbers(rate=3)
    assert decode_record(Numbers, {"rate": 3}) == Numbers(rate=3)
