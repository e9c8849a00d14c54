# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line, parsed with the tables of commands and options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dockmgrd.cli.commands import mirrors as mirror_commands
from dockmgrd.cli.commands import packages as package_commands
from dockmgrd.cli.commands.all import (
    COMMON,
    JSON_AUTO,
    JSON_FORMS,
    LISTED_COMMANDS,
    PROGRAM,
    SYNONYMS,
    find_command,
)
from dockmgrd.cli.commands.table import Command, Option, Positional
from dockmgrd.cli.loading import load
from dockmgrd.enums import Kind
from dockmgrd.errors import InvalidArgs, quote
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import Text

_LOG_KEYS = frozenset({"log-follow", "log-lines", "log-catalog"})
_LOCAL_KEYS = mirror_commands.LOCAL_KEYS | package_commands.LOCAL_KEYS | _LOG_KEYS
_VERSION = "--version"
_HOST = re.compile(
    r"(?:[A-Za-z0-9_.+][A-Za-z0-9_.@+-]*@)?"
    r"(?:(?:\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\]|[A-Za-z0-9_.][A-Za-z0-9_.-]*)(?::[0-9]{1,5})?"
    r"|[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?)"
)
"""What ssh may take for a host, but not for an option, and no shell interprets."""
_CLOSE_MATCHES = "difflib:get_close_matches"


@dataclass(frozen=True)
class Invocation:
    """A command line, parsed. `options` holds the service's options by their bus names."""

    command: str
    options: Mapping[str, Any] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()
    fastest: bool = False
    probes_sources: bool = False
    yes: bool = False
    job: str = ""
    """Id of the job, or its end; "" for the default one."""
    log_options: tuple[str, ...] = ()
    """Options for journalctl."""
    topic: str = ""
    """The command to explain; "" for all of them."""
    json: str = ""
    """Form of the JSON, one of JSON_FORMS or JSON_AUTO; "" for text."""
    quiet: bool = False
    ask_password: bool = True
    pager: bool = True
    host: str = ""
    """[USER@]HOST[:PORT] of the host to manage; "" for this one."""
    brief: bool = False
    """Whether the version of this program is enough."""

    @property
    def program(self) -> str:
        """How to run dockmgrctl again for the same host."""
        return f"{PROGRAM} -H {self.host}" if self.host else PROGRAM

    @property
    def kind(self) -> Kind | None:
        """The kind of job that the command starts."""
        command = find_command(self.command)
        own = command.kind if command else None
        return Kind.PROBE_SOURCES if self.probes_sources else own


class NoCommand(InvalidArgs):
    """There is no command on the command line."""


class _Parser(argparse.ArgumentParser):
    """Raises ArgumentError instead of printing: for an option without its value, or with one."""

    def __init__(self, program: str) -> None:
        super().__init__(prog=program, add_help=False, allow_abbrev=False, exit_on_error=False)

    def _get_formatter(self) -> argparse.HelpFormatter:
        """Return one that does not load `shutil` for the width of the terminal."""
        return self.formatter_class(prog=self.prog, width=80)  # type: ignore[call-arg]


def parse(arguments: Sequence[str]) -> Invocation:
    """Parse a command line.

    :raises NoCommand: if it has no command.
    :raises InvalidArgs: if it is not valid.
    """
    for argument in arguments:
        if not argument.isascii() and argument != argument.encode("utf-8", "replace").decode():
            raise InvalidArgs(messages.ARGUMENT_NOT_UTF8(argument=ascii(argument)))
    position = _find_command_position(arguments)
    before, after = arguments[:position], arguments[position + 1 :]
    if _VERSION in before:
        return Invocation("version", brief=True)
    if position == len(arguments):
        return _parse_without_command(before)
    command = find_command(arguments[position])
    if command is None:
        raise _refuse_command(arguments[position])
    parsed = _parse_options(command, [*before, *after])
    if "help" in parsed:
        return Invocation("help", topic=command.name, pager=parsed["pager"])
    return _make_invocation(command, parsed, arguments)


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether the command line asks for JSON, even if it is not valid otherwise."""
    return any(each == "--json" or each in _JSON_FLAGS for each in arguments)


def _find_command_position(arguments: Sequence[str]) -> int:
    """Return the index of the first word that is neither an option nor the value of one."""
    takes_next = False
    for index, argument in enumerate(arguments):
        if takes_next:
            takes_next = False
        elif not argument.startswith("-") or argument == "-":
            return index
        else:
            takes_next = argument == "--host" or (argument[1] != "-" and argument.endswith("H"))
    return len(arguments)


def _parse_without_command(before: Sequence[str]) -> Invocation:
    parsed = _parse_options(Command("", "", "", ("", "")), before)
    if "help" not in parsed:
        raise NoCommand(_point_to_help(messages.COMMAND_MISSING(), PROGRAM))
    return Invocation("help", pager=parsed["pager"])


def _parse_options(command: Command, arguments: Sequence[str]) -> dict[str, Any]:
    """Return the values of the options and of the positional by their keys."""
    program = f"{PROGRAM} {command.name}".rstrip()
    options = (*COMMON, *command.options)
    parser = _Parser(program)
    for option in options:
        _add_option(parser, option)
    if command.positional is not None:
        _add_positional(parser, command.positional)
    if "--help" in arguments or "-h" in arguments:
        return {"help": True, "pager": "--no-pager" not in arguments}
    spelled = [_EXPANDED.get(argument, argument) for argument in arguments]
    try:
        namespace, others = parser.parse_known_intermixed_args(spelled)
    except argparse.ArgumentError as error:
        raise _refuse_value(error, options, program) from None
    for other in others:
        if other != "--":
            raise _refuse_word(other, options, program)
    parsed = vars(namespace)
    for option in options:
        if option.number and option.key in parsed:
            parsed[option.key] = _parse_number(option, parsed[option.key])
    return parsed


def _add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    takes: dict[str, Any] = {"action": "store_const", "const": option.value}
    if option.metavar is not None:
        action = "append" if option.repeatable or option.single else "store"
        takes = {"action": action, "metavar": option.metavar}
    flags = [option.short, option.flag] if option.short else [option.flag]
    parser.add_argument(*flags, dest=option.key, default=argparse.SUPPRESS, **takes)


def _add_positional(parser: argparse.ArgumentParser, positional: Positional) -> None:
    nargs = "*" if positional.many else "?"
    parser.add_argument(positional.name, nargs=nargs, metavar=positional.metavar)


def _make_invocation(
    command: Command, parsed: dict[str, Any], arguments: Sequence[str]
) -> Invocation:
    options = {each.key: parsed[each.key] for each in command.options if each.key in parsed}
    many = command.positional is not None and command.positional.many
    mirrors = tuple(parsed["mirrors"] or ()) if many else ()
    if command.name == "set-mirror":
        mirror_commands.check_set_mirror(arguments, options, mirrors)
    if options.get("mode") != "remove":  # a file may name what is no URL, and that can go
        mirror_commands.check_urls([*mirrors, *options.get("mirrors", ())])
    if options.get("version") == package_commands.LATEST:
        del options["version"]
        options["upgrade"] = True
    local = {key: options.pop(key) for key in _LOCAL_KEYS if key in options}
    return Invocation(
        command=command.name,
        options={**command.preset, **options},
        mirrors=mirrors,
        fastest=mirror_commands.FASTEST in local,
        probes_sources=package_commands.PROBE_SOURCES in local,
        yes=package_commands.YES in local,
        job=parsed.get("job") or "",
        log_options=tuple(_spell_log_options(local)),
        topic=_check_topic(parsed.get("topic") or ""),
        json=_parse_json_form(parsed.get("json", "off")),
        quiet=parsed.get("quiet", False),
        ask_password=parsed.get("ask_password", True),
        pager=parsed.get("pager", True),
        host=_parse_host(parsed["host"]) if "host" in parsed else "",
    )


def _parse_host(hosts: Sequence[str]) -> str:
    """:raises InvalidArgs: if it is not one host, or ssh would not take it for a host."""
    if len(hosts) > 1 or "," in hosts[0]:
        raise InvalidArgs(messages.ONE_HOST_ONLY().with_remedy(messages.USE_COLLECTION()))
    [host] = hosts
    if not _HOST.fullmatch(host):
        text = messages.NOT_A_HOST(value=quote(host))
        raise InvalidArgs(text.with_remedy(messages.USE_HOST()))
    return host


def _spell_log_options(options: Mapping[str, Any]) -> Iterator[str]:
    if "log-follow" in options:
        yield "--follow"
    if "log-lines" in options:
        yield f"--lines={options['log-lines']}"
    if "log-catalog" in options:
        yield "--catalog"


def _check_topic(name: str) -> str:
    if name and find_command(name) is None:
        raise _refuse_command(name)
    return name


def _parse_json_form(form: str) -> str:
    if form not in (JSON_AUTO, *JSON_FORMS):
        text = messages.NOT_A_JSON_FORM(value=quote(form), forms=list(JSON_FORMS))
        raise InvalidArgs(_point_to_help(text, PROGRAM))
    return "" if form == "off" else form


def _parse_number(option: Option, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        refusal = messages.NOT_AN_INTEGER(option=option.flag, value=quote(text))
        raise InvalidArgs(_point_to_help(refusal, PROGRAM))
    return int(text)


def _refuse_value(
    error: argparse.ArgumentError, options: Sequence[Option], program: str
) -> InvalidArgs:
    """Return the refusal of an option without its value, or with one that it does not take."""
    flag = (error.argument_name or "").rpartition("/")[2]
    option = next((each for each in options if each.flag == flag), None)
    if option is None or option.metavar is None:
        return InvalidArgs(_point_to_help(messages.OPTION_TAKES_NO_VALUE(option=flag), program))
    text = messages.OPTION_NEEDS_VALUE(option=flag, example=f"{flag} {option.example}")
    return InvalidArgs(_point_to_help(text, program))


def _refuse_word(word: str, options: Sequence[Option], program: str) -> InvalidArgs:
    if not word.startswith("-"):
        text = messages.UNEXPECTED_ARGUMENT(argument=quote(word))
        return InvalidArgs(_point_to_help(text, program))
    flag = word.partition("=")[0]
    text = messages.UNKNOWN_OPTION(option=quote(flag), command=program)
    close = load(_CLOSE_MATCHES)(flag, [each.flag for each in options], 1)
    return InvalidArgs(_suggest(text, close[0]) if close else _point_to_help(text, program))


def _refuse_command(name: str) -> InvalidArgs:
    text = messages.UNKNOWN_COMMAND(command=quote(name))
    if name in SYNONYMS:
        return InvalidArgs(_suggest(text, SYNONYMS[name], SYNONYMS[name]))
    close = load(_CLOSE_MATCHES)(name, [each.name for each in LISTED_COMMANDS], 1)
    if close:
        meant = f"{PROGRAM} {close[0]}"
        return InvalidArgs(_suggest(text, meant, meant))
    return InvalidArgs(_point_to_help(text, PROGRAM))


def _suggest(text: Text, words: str, command: str = "") -> Text:
    return text.with_remedy(messages.DID_YOU_MEAN(command=words), command)


def _point_to_help(text: Text, program: str) -> Text:
    command = f"{program} --help"
    return text.with_remedy(messages.SEE_HELP(command=command), command)


_EXPANDED = {each.flag: f"{each.flag}={each.implied}" for each in COMMON if each.implied}
_JSON_FLAGS = {f"--json={form}" for form in (JSON_AUTO, *JSON_FORMS) if form != "off"}
