# SPDX-License-Identifier: LGPL-2.1-or-later
"""What --help prints: all commands, or one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockmgrd.cli.commands.all import COMMON, DESCRIPTION, LISTED_COMMANDS, PROGRAM
from dockmgrd.cli.commands.table import Command, Option
from dockmgrd.cli.i18n.translation import _
from dockmgrd.cli.view.layout import add_colon
from dockmgrd.cli.view.text import cells, wrap

WIDTH = 80
"""Columns of help on a wider terminal."""
_MIN_TEXT_CELLS = 30
"""Columns for the text beside a term; if there are fewer, it goes below the term."""

Rows = Iterable[tuple[str, str]]


def format_usage(width: int) -> list[str]:
    """Return the commands, each in a line: what bare `dockmgrctl` prints, on one screen."""
    lines = [f"{PROGRAM} [OPTION…] COMMAND …", "", *wrap(_(DESCRIPTION), width)]
    lines += _format_section(
        _("Commands"), [(each.name, _(each.help)) for each in LISTED_COMMANDS], width
    )
    text = _("For options and examples: {command}").format(command=f"{PROGRAM} help COMMAND")
    return [*lines, "", *wrap(text, width)]


def format_overview(width: int) -> list[str]:
    """Return all commands by groups, and the options that each of them has."""
    lines = [f"{PROGRAM} [OPTION…] COMMAND …", "", *wrap(_(DESCRIPTION), width)]
    for group in dict.fromkeys(each.group for each in LISTED_COMMANDS):
        rows = [(each.name, _(each.help)) for each in LISTED_COMMANDS if each.group == group]
        lines += _format_section(_(group), rows, width)
    version = ("    --version", _("show the version of this program"))
    options = [*_list_option_rows(COMMON), version]
    lines += _format_section(_("Options, before or after the command"), options, width)
    text = _("Exit codes and more are in the manual: {command}")
    lines += ["", *wrap(text.format(command=f"man {PROGRAM}"), width)]
    examples = (f"{PROGRAM} install --source aliyun", f"{PROGRAM} help install")
    return [*lines, *_format_examples(examples)]


def format_command(command: Command, width: int) -> list[str]:
    """Return one command: what it does, what it takes, and two examples."""
    words = [PROGRAM, command.name, "[OPTION…]"]
    rows: list[tuple[str, str]] = []
    if command.positional is not None:
        name = command.positional.metavar
        optional = command.positional.many or command.positional.optional
        words.append(f"[{name}{'…' * command.positional.many}]" if optional else name)
        rows.append((name, _(command.positional.help)))
    lines = [" ".join(words), "", *wrap(_(command.description), width)]
    if rows:
        lines += _format_section(_("Argument"), rows, width)
    for group in dict.fromkeys(each.group for each in command.options):
        options = [each for each in command.options if each.group == group]
        lines += _format_section(_(group), _list_option_rows(options), width)
    lines += _format_section(_("Common options"), _list_option_rows(COMMON), width)
    return [*lines, *_format_examples(command.examples)]


def _format_examples(examples: Sequence[str]) -> list[str]:
    return ["", add_colon(_("Examples")), *(f"  {example}" for example in examples)]


def _list_option_rows(options: Iterable[Option]) -> Rows:
    return [(_spell_option(each), _(each.help)) for each in options]


def _spell_option(option: Option) -> str:
    value = f"={option.metavar}" if option.metavar else ""
    short = f"{option.short}, " if option.short else "    "
    return f"{short}{option.flag}{f'[{value}]' if option.implied else value}"


def _format_section(title: str, rows: Rows, width: int) -> list[str]:
    """Return terms and texts in two columns, or below each other if there is no room."""
    rows = list(rows)
    column = 2 + max(cells(term) for term, _text in rows) + 2
    below = width - column < _MIN_TEXT_CELLS
    indent = 8 if below else column
    lines = ["", add_colon(title)]
    for term, text in rows:
        first, *others = wrap(text, max(width - indent, 1))
        head = f"  {term}"
        if below:
            lines += [head, " " * indent + first]
        else:
            lines.append(head + " " * (column - cells(head)) + first)
        lines += [" " * indent + other for other in others]
    return lines
