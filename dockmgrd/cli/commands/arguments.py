# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line, understood by the tables of commands and options."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from dockmgrd.cli.commands import mirrors as mirror_commands
from dockmgrd.cli.commands import packages as package_commands
from dockmgrd.cli.commands.all import COMMANDS, COMMON, JSON_AUTO, JSON_FORMS, PROGRAM, find
from dockmgrd.cli.commands.table import Command, Option, Positional
from dockmgrd.errors import InvalidArgs, shown

_LOCAL_KEYS = mirror_commands.LOCAL_KEYS | package_commands.LOCAL_KEYS
_VERSION = "--version"


@dataclass(frozen=True)
class Invocation:
    """A command line, understood. `options` holds those that were given, by their bus names."""

    command: str
    options: Mapping[str, Any] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()
    fastest: bool = False
    yes: bool = False
    job: str = ""
    topic: str = ""
    """The command that help is wanted on; "" means all of them."""
    json: str = ""
    """Form of the JSON that is wanted, of JSON_FORMS or JSON_AUTO; "" means none."""
    quiet: bool = False
    ask_password: bool = True
    pager: bool = True
    hosts: tuple[str, ...] = ()
    brief: bool = False
    """Whether the version of this program is enough."""
    words: tuple[str, ...] = field(default=(), compare=False)
    """The command line without the common options, for another host's dockmgrctl."""


class NoCommand(InvalidArgs):
    """There is no command on the command line."""


class _Parser(argparse.ArgumentParser):
    def _get_formatter(self) -> argparse.HelpFormatter:
        """It prints nothing here, and would load `shutil` to learn a width by itself."""
        return self.formatter_class(prog=self.prog, width=80)  # type: ignore[call-arg]

    def error(self, message: str) -> NoReturn:
        raise InvalidArgs(f"{message}; '{self.prog} --help' shows what is possible.")


def parse(arguments: Sequence[str]) -> Invocation:
    """Understand a command line.

    :raises NoCommand: when it has none.
    :raises InvalidArgs: when it is none of ours.
    """
    for argument in arguments:
        if not argument.isascii() and argument != argument.encode("utf-8", "replace").decode():
            raise InvalidArgs(f"argument {argument!a} is not UTF-8; give its text in UTF-8.")
    position = _position_of_command(arguments)
    before, after = arguments[:position], arguments[position + 1 :]
    if _VERSION in before:
        return Invocation("version", brief=True)
    if position == len(arguments):
        return _without_command(before)
    command = find(arguments[position])
    if command is None:
        raise _unknown_command(arguments[position])
    given = _given(command, [*before, *after])
    if "help" in given:
        return Invocation("help", topic=command.name, pager=given["pager"])
    return _understood(command, given, arguments)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether even a command line that is not understood asks for JSON."""
    return any(each == "--json" or each in _JSON_FLAGS for each in arguments)


def _position_of_command(arguments: Sequence[str]) -> int:
    """Index of the first word that is neither an option nor the value of one."""
    takes_next = False
    for index, argument in enumerate(arguments):
        if takes_next:
            takes_next = False
        elif not argument.startswith("-") or argument == "-":
            return index
        else:
            takes_next = argument == "--host" or (argument[1] != "-" and argument.endswith("H"))
    return len(arguments)


def _without_command(before: Sequence[str]) -> Invocation:
    given = _given(Command("", "", "", ("", "")), before)
    if "help" not in given:
        raise NoCommand(f"A command is missing; '{PROGRAM} --help' shows what there is.")
    return Invocation("help", pager=given["pager"])


def _given(command: Command, arguments: Sequence[str]) -> dict[str, Any]:
    """The values of the options and the positional that were given, by their keys."""
    parser = _Parser(prog=f"{PROGRAM} {command.name}".rstrip(), add_help=False, allow_abbrev=False)
    for option in (*COMMON, *command.options):
        _add_option(parser, option)
    if command.positional is not None:
        _add_positional(parser, command.positional)
    if "--help" in arguments or "-h" in arguments:
        return {"help": True, "pager": "--no-pager" not in arguments}
    spelled = [_EXPANDED.get(argument, argument) for argument in arguments]
    given, others = parser.parse_known_intermixed_args(spelled)
    for other in filter(lambda each: each != "--", others):
        if not other.startswith("-"):
            parser.error(f"{shown(other)} is one argument too many")
        flags = [each.flag for each in (*COMMON, *command.options)]
        flag = other.partition("=")[0]
        raise _unknown(f"There is no option {shown(flag)}", flag, flags, parser.prog)
    return vars(given)


def _add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    takes: dict[str, Any] = {"action": "store_const", "const": option.value}
    if option.metavar is not None:
        action = "append" if option.repeatable else "store"
        takes = {"action": action, "metavar": option.metavar}
        if option.number:
            takes["type"] = _number
    flags = [option.short, option.flag] if option.short else [option.flag]
    parser.add_argument(*flags, dest=option.key, default=argparse.SUPPRESS, **takes)


def _add_positional(parser: argparse.ArgumentParser, positional: Positional) -> None:
    nargs = "*" if positional.many else "?" if positional.optional else None
    parser.add_argument(positional.name, nargs=nargs, metavar=positional.metavar)


def _understood(command: Command, given: dict[str, Any], arguments: Sequence[str]) -> Invocation:
    options = {each.key: given[each.key] for each in command.options if each.key in given}
    many = command.positional is not None and command.positional.many
    mirrors = tuple(given["mirrors"] or ()) if many else ()
    if command.name == "set-mirror":
        mirror_commands.check_set_mirror(arguments, options.keys(), mirrors)
    words = (command.name, *_spelled(command, options), *_positionals(command, given))
    local = {key: options.pop(key) for key in _LOCAL_KEYS if key in options}
    return Invocation(
        command=command.name,
        options=options,
        mirrors=mirrors,
        fastest=mirror_commands.FASTEST in local,
        yes=package_commands.YES in local,
        job=given.get("job", ""),
        topic=_topic(given.get("topic") or ""),
        json=_json_form(given.get("json", "off")),
        quiet=given.get("quiet", False),
        ask_password=given.get("ask_password", True),
        pager=given.get("pager", True),
        hosts=_hosts(given.get("hosts", ())),
        words=words,
    )


def _spelled(command: Command, options: Mapping[str, Any]) -> Iterator[str]:
    """The options as they were given, each in a word."""
    for option in command.options:
        if option.key not in options:
            continue
        value = options[option.key]
        if option.metavar is None:
            if value == option.value:
                yield option.flag
        else:
            values = value if option.repeatable else [value]
            yield from (f"{option.flag}={each}" for each in values)


def _positionals(command: Command, given: Mapping[str, Any]) -> list[str]:
    if command.positional is None or not given.get(command.positional.name):
        return []
    value = given[command.positional.name]
    return ["--", *(value if command.positional.many else [value])]


def _topic(name: str) -> str:
    if name and find(name) is None:
        raise _unknown_command(name)
    return name


def _json_form(form: str) -> str:
    if form not in (JSON_AUTO, *JSON_FORMS):
        *others, last = JSON_FORMS
        raise InvalidArgs(f"--json takes {', '.join(others)} or {last}, not {shown(form)}.")
    return "" if form == "off" else form


def _hosts(given: Sequence[str]) -> tuple[str, ...]:
    if not given:
        return ()
    from dockmgrd.cli.hosts.ssh import destinations

    return destinations(given)


def _unknown(sentence: str, word: str, known: Sequence[str], program: str) -> InvalidArgs:
    """The refusal of a word, with the one that may have been meant."""
    import difflib

    close = difflib.get_close_matches(word, known, 1)
    if close:
        return InvalidArgs(
            f"{sentence}; did you mean '{close[0]}'? '{program} --help' shows what there is."
        )
    return InvalidArgs(f"{sentence}; '{program} --help' shows what there is.")


def _unknown_command(name: str) -> InvalidArgs:
    names = [each.name for each in COMMANDS]
    return _unknown(f"There is no command {shown(name)}", name, names, PROGRAM)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number")
    return int(text)


_EXPANDED = {each.flag: f"{each.flag}={each.implied}" for each in COMMON if each.implied}
_JSON_FLAGS = {f"--json={form}" for form in (JSON_AUTO, *JSON_FORMS) if form != "off"}
