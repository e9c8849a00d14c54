# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many calls of one user from one process on a host, and whether each was allowed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

    from bed.host import Host

REFUSED = (
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    "org.freedesktop.DBus.Error.AccessDenied",
)
# Every job hangs: the first that changes the host makes the others Busy, which is said after
# polkit has been asked, so nothing is done and still it is seen who may do it.
_HOLD = """[Service]
ExecStart=
ExecStart=/bin/sleep infinity
"""
_PEOPLE = """
groupadd --force registry-ops
useradd --create-home --groups dockmgr member
useradd --create-home --groups registry-ops mirrors
useradd --create-home --groups wheel admin
"""

# For programs on the host: the reply to each call, or [error name, text].
ANSWERS = """
import asyncio, json, sys
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.errors import RemoteError
from dockmgrd.bus.variants import to_plain

def typed(value):
    if isinstance(value, dict):
        return {key: Variant(*pair) for key, pair in value.items()}
    if isinstance(value, list) and value[:1] == ["variant"]:
        return Variant(*value[1:])
    return value

async def answer(bus, call):
    path, interface, member, signature, body = call
    try:
        return {"values": to_plain(await bus.call(
            "org.dockmgr1", path, interface, member, signature, [typed(each) for each in body]))}
    except RemoteError as error:
        return {"error": [error.name, error.reply]}

async def answers(calls, at_once):
    async with Bus() as bus:
        if at_once:
            return await asyncio.gather(*(answer(bus, each) for each in calls))
        return [await answer(bus, each) for each in calls]
"""
_CALLS = f"""{ANSWERS}
print(json.dumps(asyncio.run(answers(*json.loads(sys.argv[1])))))
"""


@dataclass(frozen=True)
class Call:
    """A method call, by default of the manager. Options hold (signature, value)."""

    member: str
    options: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    mirrors: tuple[str, ...] | None = None
    path: str = "/org/dockmgr1"
    interface: str = "org.dockmgr1.Manager"
    plain: tuple[str, list[Any]] | None = None
    """Signature and body where it is no verb."""

    def to_json(self) -> list[Any]:
        signature: str = "a{sv}"
        body: list[Any] = [dict(self.options)]
        if self.plain is not None:
            signature, body = self.plain
        elif self.mirrors is not None:
            signature, body = "asa{sv}", [list(self.mirrors), dict(self.options)]
        return [self.path, self.interface, self.member, signature, body]


@dataclass(frozen=True)
class Answer:
    values: list[Any] | None
    error: str = ""
    text: str = ""

    @property
    def refused(self) -> bool:
        return self.error in REFUSED

    @property
    def allowed(self) -> bool:
        """Polkit said yes: a job started, or there was no room for it."""
        full = self.error.endswith((".Busy", ".LimitsExceeded")) and "requests" not in self.text
        return self.values is not None or full


def command(calls: Sequence[Call], *, at_once: bool = False) -> list[str]:
    request = json.dumps([[each.to_json() for each in calls], at_once])
    return ["/usr/bin/python3", "-IBc", _CALLS, request]


def call_all(host: Host, user: str | None, calls: Sequence[Call]) -> list[Answer]:
    """Make the calls one after another."""
    return answers(host.run(*command(calls), user=user).stdout)


def start_all(host: Host, user: str | None, calls: Sequence[Call]) -> subprocess.Popen[str]:
    """Make the calls all at once; `answers` of what it prints tells how it went."""
    return host.popen(*command(calls, at_once=True), user=user)


def answers(output: str) -> list[Answer]:
    return list(map(answer_of, json.loads(output)))


def answer_of(reply: Mapping[str, Any]) -> Answer:
    return Answer(None, *reply["error"]) if "error" in reply else Answer(reply["values"])


def hold_jobs(host: Host) -> None:
    """Have every job hang from now on."""
    host.write("/run/systemd/system/dockmgrd-job@.service.d/hold.conf", _HOLD)
    host.run("systemctl", "daemon-reload")


def add_people(host: Host) -> None:
    """Users `member` of dockmgr, `mirrors` of registry-ops, `admin` of wheel."""
    host.run("sh", "-euc", _PEOPLE)
