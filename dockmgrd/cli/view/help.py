# SPDX-License-Identifier: LGPL-2.1-or-later
"""What --help says: all commands, or one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockmgrd.cli.commands.all import COMMANDS, COMMON, DESCRIPTION, PROGRAM
from dockmgrd.cli.commands.exitcodes import exit_codes
from dockmgrd.cli.commands.table import Command, Option
from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.view.text import cells, wrapped

_LEAST_TEXT = 30
"""Columns for the text beside a term; where there are fewer, it goes below the term."""

Rows = Iterable[tuple[str, str]]


def overview(width: int) -> list[str]:
    """All commands, the options that each has, and the exit codes."""
    lines = [f"{PROGRAM} [OPTION…] COMMAND …", "", *wrapped(_(DESCRIPTION), width)]
    for group in dict.fromkeys(each.group for each in COMMANDS):
        rows = [(each.name, each.help) for each in COMMANDS if each.group == group]
        lines += _section(group, rows, width)
    options = [*_option_rows(COMMON), ("    --version", "show the version of this program")]
    lines += _section("Options, before or after the command", options, width)
    codes = [(f"{each.code:3}", _named(each.name, each.meaning)) for each in exit_codes()]
    lines += _section("Exit codes", codes, width)
    examples = (f"{PROGRAM} install --source aliyun", f"{PROGRAM} help install")
    return [*lines, *_examples(examples)]


def explained(command: Command, width: int) -> list[str]:
    """One command: what it does, takes and costs, and two examples."""
    words = [PROGRAM, command.name, "[OPTION…]"]
    rows: list[tuple[str, str]] = []
    if command.positional is not None:
        name = command.positional.metavar
        optional = command.positional.many or command.positional.optional
        words.append(f"[{name}{'…' * command.positional.many}]" if optional else name)
        rows.append((name, command.positional.help))
    lines = [" ".join(words), "", *wrapped(_(command.description), width)]
    if rows:
        lines += _section("Argument", rows, width)
    for group in dict.fromkeys(each.group for each in command.options):
        options = [each for each in command.options if each.group == group]
        lines += _section(group, _option_rows(options), width)
    lines += _section("Common options", _option_rows(COMMON), width)
    lines += ["", *wrapped(told(f"'{PROGRAM} --help' lists all commands and exit codes."), width)]
    return [*lines, *_examples(command.examples)]


def _examples(examples: Sequence[str]) -> list[str]:
    return ["", f"{_('Examples')}:", *(f"  {example}" for example in examples)]


def _option_rows(options: Iterable[Option]) -> Rows:
    return [(_spelled(each), each.help) for each in options]


def _spelled(option: Option) -> str:
    value = f"={option.metavar}" if option.metavar else ""
    short = f"{option.short}, " if option.short else "    "
    return f"{short}{option.flag}{f'[{value}]' if option.implied else value}"


def _named(name: str, meaning: str) -> str:
    return f"{name}: {meaning}" if name else meaning


def _section(title: str, rows: Rows, width: int) -> list[str]:
    """Terms and texts in two columns, or below each other where there is no room."""
    rows = list(rows)
    column = 2 + max(cells(term) for term, _ in rows) + 2
    below = width - column < _LEAST_TEXT
    indent = 8 if below else column
    lines = ["", f"{_(title)}:"]
    for term, text in rows:
        first, *others = wrapped(told(text), max(width - indent, 1))
        head = f"  {term}"
        if below:
            lines += [head, " " * indent + first]
        else:
            lines.append(head + " " * (column - cells(head)) + first)
        lines += [" " * indent + other for other in others]
    return lines
