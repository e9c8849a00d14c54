# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills dockmgrctl.bash.in: tables as bash writes them."""

from __future__ import annotations

from collections.abc import Iterable

from completions.commandline import CommandLine, Option, Value

NAME = "dockmgrctl"


def texts(line: CommandLine) -> dict[str, str]:
    """The text for each place."""
    takes = [
        (f"{name} {flag}", ("?" if option.optional else "") + _kind(option.value))
        for name, option in line.options()
        if option.value is not None
        for flag in option.flags
    ]
    return {
        "COMMON": _flags(line.common),
        "FLAGS": _table(
            [
                ("-", _flags(line.first)),
                *((each.name, _flags(each.options)) for each in line.commands if each.options),
            ]
        ),
        "TAKES": _table(takes),
        "OPERANDS": _table(
            (each.name, _kind(each.operand)) for each in line.commands if each.operand
        ),
        "REPEATABLE": " ".join(
            sorted(
                {each for _, option in line.options() if option.repeatable for each in option.flags}
            )
        ),
        "MANY": " ".join(each.name for each in line.commands if each.many),
        "COMMANDS": " ".join(each.name for each in line.commands),
    }


def _flags(options: Iterable[Option]) -> str:
    return " ".join(flag for option in options for flag in option.flags)


def _kind(value: Value) -> str:
    """Return the values for the script; a space stands for values that only the user knows."""
    if value.asked:
        return f"@{value.asked}," if value.listed else f"@{value.asked}"
    return value.words or " "


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"        ['{key}']='{text}'" for key, text in rows)
