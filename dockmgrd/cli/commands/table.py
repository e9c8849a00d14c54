# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a command of dockmgrctl is: its name, its texts, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Union

from dockmgrd.cli.i18n.translation import N_
from dockmgrd.enums import Kind


class Live(Enum):
    """Values that only the service knows; a shell lists them with `dockmgrctl complete`."""

    SOURCES = "sources"
    VERSIONS = "versions"
    MIRRORS = "mirrors"
    JOBS = "jobs"
    RUNNING_JOBS = "running-jobs"


Values = Union[Live, tuple[str, ...]]
"""What a shell offers as a value: what the service knows, these words, or nothing if empty."""


@dataclass(frozen=True)
class Option:
    """An option of a command. `key` is its name on the bus, and `value` what the flag sets.

    With a `metavar` the user gives the value instead, an integer if it is a `number`; a
    `repeatable` one makes a list of them. One that has an `implied` value may stand alone, and
    takes another one only after an equals sign. `example` is a valid value. Help shows the options
    of a `group` together.
    """

    flag: str
    key: str
    help: str
    value: bool | str = True
    metavar: str | None = None
    example: str = ""
    repeatable: bool = False
    single: bool = False
    """Whether a second one is an error. Of other options, the last one counts."""
    number: bool = False
    short: str = ""
    values: Values = ()
    implied: str = ""
    group: str = N_("Options")


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
    """A command: its name, its texts in --help, and its options.

    One with a `kind` starts a job of that kind, with the `preset` options beside the user's. A
    `hidden` command is an alias that help does not list.
    """

    name: str
    help: str
    description: str
    examples: tuple[str, str]
    options: tuple[Option, ...] = ()
    positional: Positional | None = None
    group: str = ""
    long: bool = False
    """Whether the answer is one for a pager."""
    kind: Kind | None = None
    preset: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False


def group_options(title: str, *options: Option) -> tuple[Option, ...]:
    """Return the options in a group with that title."""
    return tuple(replace(each, group=title) for each in options)
