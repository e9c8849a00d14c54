# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills dockmgrctl.fish.in: calls of fish's complete."""

from __future__ import annotations

from collections.abc import Iterator

from completions.commandline import Command, CommandLine, Option, Value

NAME = "dockmgrctl.fish"


def texts(line: CommandLine) -> dict[str, str]:
    """The text for each place."""
    awaiting = [
        _quoted(f"* {flag}" if not name else f"{name} {flag}")
        for name, option in line.options()
        if option.takes_next_word
        for flag in option.flags
    ]
    lines = [f"complete -c dockmgrctl {_option(option)}" for option in line.common]
    lines += [f"{_where('is', '')} {_option(option)}" for option in line.first]
    for command in line.commands:
        lines.append(f"{_where('is', '')} -a {command.name} -d {_quoted(command.help)}")
    for command in line.commands:
        lines += [f"{_where('is', command.name)} {_option(option)}" for option in command.options]
        lines += _operand(command)
    return {"AWAITING": " ".join(awaiting), "COMPLETE": "\n".join(lines)}


def _where(condition: str, command: str) -> str:
    return f"complete -c dockmgrctl -n '__dockmgrctl_{condition} \"{command}\"'"


def _operand(command: Command) -> Iterator[str]:
    if command.operand is not None and command.operand.values:
        condition = "is" if command.many else "takes_one_more"
        yield f"{_where(condition, command.name)} {_values(command.operand)}"


def _option(option: Option) -> str:
    flags = [
        f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags
    ]
    words = [*flags, f"-d {_quoted(option.help)}"]
    if option.value is not None:
        words += ["-x"] if option.takes_next_word else []
        words += [_values(option.value)] if option.value.values else []
    return " ".join(words)


def _values(value: Value) -> str:
    if value.asked:
        return f"-k -a '(__dockmgrctl_live{'_list' if value.listed else ''} {value.asked})'"
    return f"-a '{value.words}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
