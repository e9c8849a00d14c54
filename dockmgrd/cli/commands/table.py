# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a command of dockmgrctl is: its name, its texts, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Union


class Live(Enum):
    """Values that the service alone knows: a shell has them listed by `dockmgrctl complete`."""

    SOURCES = "sources"
    VERSIONS = "versions"
    MIRRORS = "mirrors"
    JOBS = "jobs"
    RUNNING_JOBS = "running-jobs"


Values = Union[Live, tuple[str, ...]]
"""What a shell offers as a value: what the service knows, these, or nothing when there are none."""


@dataclass(frozen=True)
class Option:
    """An option of a command. `key` is its name on the bus, where `value` is what the flag says.

    With a `metavar` the user gives the value instead, a whole number if it is a `number`; a
    `repeatable` one makes a list of them. One that has an `implied` value may stand alone, and
    takes another only behind an equals sign. Help shows the options of a `group` together.
    """

    flag: str
    key: str
    help: str
    value: bool | str = True
    metavar: str | None = None
    repeatable: bool = False
    number: bool = False
    short: str = ""
    values: Values = ()
    implied: str = ""
    group: str = "Options"


@dataclass(frozen=True)
class Positional:
    """What a command takes without a dash: one value, which may be `optional`, or `many`."""

    name: str
    metavar: str
    help: str
    many: bool = False
    values: Values = ()
    optional: bool = False


@dataclass(frozen=True)
class Command:
    """A command: its name, what --help says of it, and its options."""

    name: str
    help: str
    description: str
    examples: tuple[str, str]
    options: tuple[Option, ...] = ()
    positional: Positional | None = None
    group: str = ""
    long: bool = False
    """Whether the answer is one for a pager."""


def grouped(title: str, *options: Option) -> tuple[Option, ...]:
    """The options, in a group of that title."""
    return tuple(replace(each, group=title) for each in options)
