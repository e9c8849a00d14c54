# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can stand on dockmgrctl's command line, from the tables that dockmgrctl itself goes by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockmgrd.cli.commands import table as tables
from dockmgrd.cli.commands.all import COMMON, LISTED_COMMANDS, PROGRAM
from dockmgrd.cli.commands.table import Live, Values

_VERSION = tables.Option("--version", "", f"show the version of {PROGRAM}")


@dataclass(frozen=True)
class Value:
    """A value that the user gives, and which ones a shell can offer."""

    metavar: str
    values: Values = ()

    @property
    def listed(self) -> bool:
        """Whether it is a list with commas."""
        return "[," in self.metavar

    @property
    def asked(self) -> str:
        """What `dockmgrctl complete` lists them by; "" when they are not of that kind."""
        return self.values.value if isinstance(self.values, Live) else ""

    @property
    def words(self) -> str:
        """Those that are known here, with spaces between them."""
        return " ".join(self.values) if isinstance(self.values, tuple) else ""


@dataclass(frozen=True)
class Option:
    """An option by all of its flags. `value` is None for one that takes none."""

    flags: tuple[str, ...]
    help: str
    value: Value | None
    optional: bool
    """The value may be left out, so that it has to be in the same word, behind `=`."""
    repeatable: bool

    @property
    def takes_next_word(self) -> bool:
        return self.value is not None and not self.optional


@dataclass(frozen=True)
class Command:
    """A command, with the options that are its own."""

    name: str
    help: str
    options: tuple[Option, ...]
    operand: Value | None
    many: bool


@dataclass(frozen=True)
class CommandLine:
    """`common` options may stand before and behind the command, `first` ones before it alone."""

    common: tuple[Option, ...]
    first: tuple[Option, ...]
    commands: tuple[Command, ...]

    def options(self) -> Iterator[tuple[str, Option]]:
        """Every option, with the command whose own it is; "" for one that is of no command."""
        yield from (("", option) for option in (*self.common, *self.first))
        for command in self.commands:
            yield from ((command.name, option) for option in command.options)


def read() -> CommandLine:
    """The command line as dockmgrctl of this source tree understands it."""
    return CommandLine(
        common=tuple(map(_option, COMMON)),
        first=(_option(_VERSION),),
        commands=tuple(map(_command, LISTED_COMMANDS)),
    )


def _command(table: tables.Command) -> Command:
    operand = table.positional
    value = None
    if operand is not None:
        is_command = operand.metavar == "COMMAND"
        names = tuple(each.name for each in LISTED_COMMANDS)
        value = Value(operand.metavar, names if is_command else operand.values)
    return Command(
        name=table.name,
        help=table.help,
        options=tuple(map(_option, table.options)),
        operand=value,
        many=operand is not None and operand.many,
    )


def _option(table: tables.Option) -> Option:
    return Option(
        flags=(table.short, table.flag) if table.short else (table.flag,),
        help=table.help,
        value=Value(table.metavar, table.values) if table.metavar else None,
        optional=bool(table.implied),
        repeatable=table.repeatable,
    )
