# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills _dockmgrctl.in: specifications as zsh's _arguments takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from completions.commandline import Command, CommandLine, Option, Value

NAME = "_dockmgrctl"


def texts(line: CommandLine) -> dict[str, str]:
    """The text for each place."""
    return {
        "COMMANDS": "\n".join(
            f"        {_quoted(f'{each.name}:{each.help}')}" for each in line.commands
        ),
        "COMMON": "\n".join(f"        {each}" for each in _options(line.common)),
        "FIRST": _lines(_options(line.first), 8),
        "CASES": "\n".join(map(_case, line.commands)),
    }


def _case(command: Command) -> str:
    specifications = list(_options(command.options))
    if command.operand is not None:
        count = "*" if command.many else "1"
        specifications.append(_quoted(f"{count}:{_value(command.operand)}"))
    return (
        f"                {command.name})\n"
        f"                    _arguments -s : $common \\\n{_lines(specifications, 24)}"
        "                        && ret=0\n"
        "                    ;;"
    )


def _options(options: Iterable[Option]) -> Iterator[str]:
    """A specification for each flag, which excludes the option's others."""
    for option in options:
        others = "" if option.repeatable else f"({' '.join(option.flags)})"
        repeat = "*" if option.repeatable else ""
        for flag in option.flags:
            text = "[" + re.sub(r"([\[\]\\])", r"\\\1", option.help) + "]"
            if option.value is not None:
                long = flag.startswith("--")
                end = "=-" if option.optional and long else "=" if long else "+"
                colon = "::" if option.optional else ":"
                flag, text = flag + end, text + colon + _value(option.value)
            yield _quoted(f"{others}{repeat}{flag}{text}")


def _value(value: Value) -> str:
    """Message and action of a value."""
    name = value.metavar.replace("[", "").replace("]", "").replace(":", "\\:")
    if value.asked:
        return f"{name}: _dockmgrctl_live {value.asked}{' list' if value.listed else ''}"
    if value.words:
        return f"{name}:({value.words})"
    return f"{name}: "


def _lines(specifications: Iterable[str], indent: int) -> str:
    return "".join(f"{' ' * indent}{each} \\\n" for each in specifications)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
