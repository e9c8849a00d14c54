# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs on a host, by `python3 -IBc`: calls org.dockmgr1 with whatever can be sent.

Arguments: a seed and the number of calls. Prints one JSON object: how many replies there were by
error name, and the calls that were answered wrongly or not at all.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dockmgrd import names, verbs
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, MessageFlag, Variant
from dockmgrd.errors import NoReply, RemoteError

AT_ONCE = 64  # the bus lets 128 replies be awaited
SECONDS_TO_REPLY = 300.0  # only a daemon that hangs takes so long
PATHS = ("/", "/org", "/org/dockmgr1", "/org/dockmgr1/job/x", "/org/freedesktop/LogControl1", "/x")
INTERFACES = [
    interfaces.load(names.MANAGER_INTERFACE),
    interfaces.load(names.JOB_INTERFACE),
    *interfaces.STANDARD_INTERFACES,
    interfaces.OBJECT_MANAGER_DEFINITION,
]
TEXTS = (
    "",
    "official",
    "https://mirror.example",
    "http://user:secret@mirror.example/",
    "https://[::1",
    "\x1b[2J\n\r\x07",
    "../../etc/passwd",
    "\N{RIGHT-TO-LEFT OVERRIDE}x\N{COMBINING ACUTE ACCENT}",
    "%s%n${x}$(id)`id`",
    "a" * 2000,
    "é" * 600_000,
)
KEYS = [*sorted({key for each in verbs.SIGNATURES.values() for key in each}), "interactive", "x"]
SIGNATURES = ("s", "b", "u", "as", "v", "a{sv}", "i", "d", "ay", "o", "g", "(si)", "aas", "t", "x")


@dataclass
class Report:
    replies: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def text(dice: random.Random) -> str:
    weights = [10] * (len(TEXTS) - 1) + [1]
    if dice.random() < 0.3:
        return "".join(chr(dice.choice((1, 9, 27, 65, 0x7F, 0x2028, 0x1F600))) for _ in range(5))
    return dice.choices(TEXTS, weights)[0]


def value(dice: random.Random, signature: str, depth: int = 0) -> Any:
    """Something of the signature's first complete type."""
    kind = signature[0]
    plain: dict[str, Callable[[], Any]] = {
        "b": lambda: dice.random() < 0.5,
        "d": lambda: dice.choice((0.0, -1e308, float("nan"), float("inf"))),
        "o": lambda: dice.choice(PATHS),
        "g": lambda: dice.choice(("", "s", "a{sv}")),
        "s": lambda: text(dice),
        "y": lambda: dice.randrange(256),
        "i": lambda: dice.choice((0, -1, 2**31 - 1, -(2**31))),
        "u": lambda: dice.choice((0, 1, 2**32 - 1)),
        "x": lambda: dice.choice((0, -(2**63))),
        "t": lambda: dice.choice((0, 2**64 - 1)),
    }
    if kind in plain:
        return plain[kind]()
    if kind == "v":
        return variant(dice, depth)
    if signature.startswith("a{s"):
        inner = signature[3:-1]
        keys = dice.sample(KEYS, dice.randrange(4))
        return {key: value(dice, inner, depth) for key in keys}
    if signature == "ay":
        return os.urandom(dice.choice((0, 5, 100_000)))
    if kind == "a":
        return [value(dice, signature[1:], depth) for _ in range(dice.choice((0, 1, 3, 40)))]
    return [value(dice, each, depth) for each in signature[1:-1]]


def variant(dice: random.Random, depth: int) -> Variant:
    if depth == 0 and dice.random() < 0.05:
        deep = Variant("s", "deep")
        for _ in range(dice.choice((10, 50))):
            deep = Variant("v", deep)
        return deep
    signature = dice.choice(SIGNATURES if depth < 3 else SIGNATURES[:4])
    return Variant(signature, value(dice, signature, depth + 1))


def call(dice: random.Random) -> Message:
    """A call of one of the methods, right in most parts so that it gets somewhere."""
    interface = dice.choice(INTERFACES)
    member = dice.choice(sorted(interface.methods) or ["Nothing"])
    declared = interface.methods.get(member)
    signature = (
        declared.in_signature if declared and dice.random() < 0.8 else dice.choice(SIGNATURES)
    )
    parts = {"asa{sv}": ["as", "a{sv}"], "ss": ["s", "s"], "ssv": ["s", "s", "v"]}
    body = [value(dice, each) for each in parts.get(signature, [signature] if signature else [])]
    paths = PATHS if dice.random() < 0.4 else (names.MANAGER_PATH,)
    return Message(
        destination=names.BUS_NAME,
        path=dice.choice(paths),
        interface=interface.name if dice.random() < 0.9 else dice.choice(("x.y", None)),
        member=member if dice.random() < 0.95 else "Nonsense",
        flags=MessageFlag(dice.choice((0, 0, 0, 2, 8, 0xF2))),
        signature=signature,
        body=body,
    )


async def ask(bus: Bus, message: Message, report: Report) -> None:
    """Send it, and look at the reply."""
    name, said = "done", ""
    try:
        await bus.request(message, timeout=SECONDS_TO_REPLY)
    except RemoteError as error:
        name, said = error.name, error.reply
    except NoReply:
        report.wrong.append(f"no reply: {message.interface}.{message.member} {message.signature}")
        return
    report.replies[name] += 1
    odd = any(ord(character) < 0x20 or character == "\x7f" for character in said)
    if name.endswith((".Internal", ".NoReply")) or "Traceback" in said or "secret" in said or odd:
        report.wrong.append(f"{name}: {said[:200]!r} to {message.interface}.{message.member}")


async def vanish(dice: random.Random) -> None:
    """Ask what polkit has to be asked, and leave before it has answered."""
    async with Bus() as bus:
        message = call(dice)
        message.interface, message.path = names.MANAGER_INTERFACE, names.MANAGER_PATH
        message.member, message.signature = "SetMirror", "asa{sv}"
        message.body, message.flags = [["https://m.example"], {}], MessageFlag(4)
        bus.send(message)
        await bus.flush()


async def send_descriptors() -> None:
    """Calls that carry file descriptors; the bus keeps them from us."""
    from dbus_next.aio.message_bus import MessageBus  # dockmgrd.dbusnext made it importable

    bus = await MessageBus(
        bus_address="unix:path=/run/dbus/system_bus_socket", negotiate_unix_fd=True
    ).connect()
    for _ in range(10):
        message = Message(
            destination=names.BUS_NAME,
            path=names.MANAGER_PATH,
            interface=names.MANAGER_INTERFACE,
            member="Status",
            signature="h",
            body=[0],
            unix_fds=[0],
        )
        await bus.call(message)
    bus.disconnect()


async def main(seed: int, count: int) -> None:
    dice = random.Random(seed)
    report = Report()
    async with Bus() as bus:
        for start in range(0, count, AT_ONCE):
            batch = [call(dice) for _ in range(min(AT_ONCE, count - start))]
            await asyncio.gather(*(ask(bus, each, report) for each in batch))
            if start % (AT_ONCE * 16) == 0:
                await vanish(dice)
    await send_descriptors()
    print(json.dumps({"replies": dict(report.replies), "wrong": report.wrong[:20]}))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
