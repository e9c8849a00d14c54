# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a command of dockmgrctl is: its name, its texts, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """An option of a command. `key` is its name on the bus, where `value` is what the flag says.

    With a `metavar` the user gives the value instead, a whole number if it is a `number`; a
    `repeatable` one makes a list of them.
    """

    flag: str
    key: str
    help: str
    value: bool | str = True
    metavar: str | None = None
    repeatable: bool = False
    number: bool = False
    short: str = ""


@dataclass(frozen=True)
class Positional:
    """What a command takes without a dash: one value, or any number of them in a tuple."""

    name: str
    metavar: str
    help: str
    many: bool = False


@dataclass(frozen=True)
class Command:
    name: str
    help: str
    description: str
    examples: tuple[str, str]
    options: tuple[Option, ...] = ()
    positional: Positional | None = None
