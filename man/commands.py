# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills dockmgrctl.1.rst.in: the commands, options and exit codes of dockmgrctl."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockmgrd.cli.commands.all import COMMON, DESCRIPTION, LISTED_COMMANDS
from dockmgrd.cli.commands.exitcodes import list_exit_codes
from dockmgrd.cli.commands.table import Command, Option
from man import rst


def texts() -> dict[str, str]:
    """Return the text for each place."""
    return {
        "SUMMARY": rst.escape(DESCRIPTION),
        "COMMANDS": rst.join(_list_commands()),
        "OPTIONS": rst.join(_list_options(COMMON)),
        "EXIT_CODES": rst.join(_list_exit_codes()),
    }


def _list_commands() -> Iterator[str]:
    for group in dict.fromkeys(each.group for each in LISTED_COMMANDS):
        yield rst.heading(group, "-")
        for command in LISTED_COMMANDS:
            if command.group == group:
                description = rst.escape(command.description)
                yield rst.definition(_format_usage(command), description, *_list_details(command))


def _format_usage(command: Command) -> str:
    words = [rst.bold(command.name)]
    if command.options:
        words.append(f"[{rst.italic('OPTION')}…]")
    if command.positional is not None:
        name = rst.italic(command.positional.metavar)
        many = "…" if command.positional.many else ""
        optional = many or command.positional.optional
        words.append(f"[{name}{many}]" if optional else name)
    return " ".join(words)


def _list_details(command: Command) -> Iterator[str]:
    """Yield the argument and the options."""
    if command.positional is not None:
        term = rst.italic(command.positional.metavar)
        yield rst.definition(term, rst.sentence(command.positional.help))
    for group in dict.fromkeys(each.group for each in command.options):
        yield rst.escape(f"{group}:")
        yield from _list_options(each for each in command.options if each.group == group)


def _list_options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        flags = ([option.short] if option.short else []) + [option.flag]
        term = ", ".join(map(rst.bold, flags))
        if option.metavar:
            value = f"={rst.italic(option.metavar)}"
            term += f"[{value}]" if option.implied else value
        yield rst.definition(term, rst.sentence(option.help))


def _list_exit_codes() -> Iterator[str]:
    for each in list_exit_codes():
        meaning = f"{each.name}: {each.meaning}" if each.name else each.meaning
        yield rst.definition(rst.bold(str(each.code)), rst.sentence(meaning))
