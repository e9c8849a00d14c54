# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills dockmgrctl.1.in: commands, options and exit codes, from dockmgrctl's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockmgrd.cli.commands.all import COMMON, DESCRIPTION, LISTED_COMMANDS
from dockmgrd.cli.commands.exitcodes import list_exit_codes
from dockmgrd.cli.commands.table import Command, Option
from man import roff


def texts() -> dict[str, str]:
    """The text for each place."""
    return {
        "SUMMARY": roff.text(DESCRIPTION),
        "COMMANDS": "\n".join(_commands()),
        "OPTIONS": "\n".join(_options(COMMON)),
        "EXIT_CODES": "\n".join(_exit_codes()),
    }


def _commands() -> Iterator[str]:
    for group in dict.fromkeys(each.group for each in LISTED_COMMANDS):
        yield f".SS {roff.text(group)}"
        for command in LISTED_COMMANDS:
            if command.group == group:
                yield from roff.entry(_usage(command), roff.text(command.description))
                details = list(_details(command))
                yield from roff.indented(details) if details else ()


def _usage(command: Command) -> str:
    words = [roff.bold(command.name)]
    if command.options:
        words.append(rf"[{roff.italic('OPTION')}\[u2026]]")
    if command.positional is not None:
        name = roff.italic(command.positional.metavar)
        many = r"\[u2026]" if command.positional.many else ""
        optional = many or command.positional.optional
        words.append(f"[{name}{many}]" if optional else name)
    return " ".join(words)


def _details(command: Command) -> Iterator[str]:
    """What it takes."""
    if command.positional is not None:
        term = roff.italic(command.positional.metavar)
        yield from roff.entry(term, roff.sentence(command.positional.help))
    for group in dict.fromkeys(each.group for each in command.options):
        yield ".PP"
        yield roff.text(f"{group}:")
        yield from _options(each for each in command.options if each.group == group)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        flags = ([option.short] if option.short else []) + [option.flag]
        term = ", ".join(map(roff.bold, flags))
        if option.metavar:
            value = f"={roff.italic(option.metavar)}"
            term += f"[{value}]" if option.implied else value
        yield from roff.entry(term, roff.sentence(option.help))


def _exit_codes() -> Iterator[str]:
    for each in list_exit_codes():
        named = f"{each.name}: {each.meaning}" if each.name else each.meaning
        yield from roff.entry(roff.bold(str(each.code)), roff.sentence(named))
