# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line: tables of commands and options, and the parser that is made of them."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from dockmgrd import __version__
from dockmgrd.cli import mirror_commands, package_commands
from dockmgrd.cli.command import Command, Positional
from dockmgrd.errors import InvalidArgs

PROGRAM = "dockmgrctl"


_JOB = Positional("job", "JOB", "id of the job as 'jobs' shows it, or its ending")

COMMANDS: tuple[Command, ...] = (
    Command(
        "status",
        "show the state of the Docker Engine",
        "Show what is installed, from which source, what runs, which mirrors are live, and what "
        "is wrong. Everybody may ask.",
        ("dockmgrctl status", "dockmgrctl --json status"),
    ),
    *package_commands.COMMANDS,
    *mirror_commands.COMMANDS,
    Command(
        "can",
        "show what you may do",
        "Show which actions polkit lets you do at once, which after a password, and which not. "
        "Nobody is asked for anything.",
        ("dockmgrctl can", "dockmgrctl --json can"),
    ),
    Command(
        "jobs",
        "list the jobs, newest first",
        "List the last jobs: what was done to the engine of this host, by whom, and how it ended.",
        ("dockmgrctl jobs", "dockmgrctl --json jobs"),
    ),
    Command(
        "follow",
        "show a job until it ends",
        "Show the progress of a job, and its result when it has ended. The exit code is that of "
        "the command that started it.",
        ("dockmgrctl follow 20260131T120000_3fa2b1", "dockmgrctl follow 3fa2b1"),
        positional=_JOB,
    ),
    Command(
        "log",
        "show the log of a job",
        "Show what a job has logged, by journalctl. Without root it shows what the user may see.",
        ("dockmgrctl log 3fa2b1", "dockmgrctl --json log 3fa2b1"),
        positional=_JOB,
    ),
    Command(
        "cancel",
        "stop a job",
        "Stop a job, which is possible until packages are written, and wait for its end.",
        ("dockmgrctl cancel 20260131T120000_3fa2b1", "dockmgrctl cancel 3fa2b1"),
        positional=_JOB,
    ),
)


@dataclass(frozen=True)
class Invocation:
    """A command line, understood. `options` holds those that were given, by their bus names."""

    command: str
    options: Mapping[str, Any] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()
    fastest: bool = False
    yes: bool = False
    job: str = ""
    json: bool = False
    quiet: bool = False
    ask_password: bool = True


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidArgs(f"{message}; '{self.prog} --help' shows what is possible.")


def parse(arguments: Sequence[str]) -> Invocation:
    """Understand a command line.

    :raises InvalidArgs: when it is none of ours.
    :raises SystemExit: after --help and --version, which are answered here.
    """
    for argument in arguments:
        if not argument.isascii() and argument != argument.encode("utf-8", "replace").decode():
            raise InvalidArgs(f"argument {argument!a} is not UTF-8; give its text in UTF-8.")
    given = vars(_parser().parse_args(list(arguments)))
    [command] = [each for each in COMMANDS if each.name == given["command"]]
    options = {each.key: given[each.key] for each in command.options if each.key in given}
    mirrors: tuple[str, ...] = ()
    if command.positional is not None and command.positional.many:
        mirrors = tuple(given["mirrors"])
    if command.name == "set-mirror":
        mirror_commands.check_set_mirror(arguments, options.keys(), mirrors)
    local_keys = mirror_commands.LOCAL_KEYS | package_commands.LOCAL_KEYS
    local = {key: options.pop(key) for key in local_keys if key in options}
    return Invocation(
        command=command.name,
        options=options,
        mirrors=mirrors,
        fastest=mirror_commands.FASTEST in local,
        yes=package_commands.YES in local,
        job=given.get("job", ""),
        json=given.get("json", False),
        quiet=given.get("quiet", False),
        ask_password=given.get("ask_password", True),
    )


def _parser() -> argparse.ArgumentParser:
    everywhere = _Parser(add_help=False, allow_abbrev=False)
    _add_common_options(everywhere)
    parser = _Parser(
        prog=PROGRAM,
        description="Install the Docker Engine, set its registry mirrors, take it off again.",
        epilog=_epilog((f"{PROGRAM} install --source aliyun", f"{PROGRAM} install --help")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[everywhere],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for command in COMMANDS:
        subparser = commands.add_parser(
            command.name,
            help=command.help,
            description=_filled(command.description),
            epilog=_epilog(command.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[everywhere],
            allow_abbrev=False,
        )
        _add_arguments(subparser, command)
    return parser


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options that stand before or after the command; one not given leaves no trace."""
    flags = (
        ("--json", "json", "store_true", "print the answer, or the error, as JSON"),
        ("--no-ask-password", "ask_password", "store_false", "never ask for a password"),
    )
    for flag, destination, action, text in flags:
        parser.add_argument(
            flag, dest=destination, action=action, default=argparse.SUPPRESS, help=text
        )
    parser.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print no progress and no summary of what was done",
    )


def _add_arguments(parser: argparse.ArgumentParser, command: Command) -> None:
    if command.positional is not None:
        parser.add_argument(
            command.positional.name,
            nargs="*" if command.positional.many else None,
            metavar=command.positional.metavar,
            help=command.positional.help,
        )
    for option in command.options:
        takes: dict[str, Any] = {"action": "store_const", "const": option.value}
        if option.metavar is not None:
            action = "append" if option.repeatable else "store"
            takes = {"action": action, "metavar": option.metavar}
            if option.number:
                takes["type"] = _number
        flags = [option.short, option.flag] if option.short else [option.flag]
        parser.add_argument(
            *flags, dest=option.key, default=argparse.SUPPRESS, help=option.help, **takes
        )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number")
    return int(text)


def _filled(text: str) -> str:
    """The text in lines as long as those that argparse makes: it leaves raw descriptions alone."""
    return textwrap.fill(text, shutil.get_terminal_size().columns - 2)


def _epilog(examples: Sequence[str]) -> str:
    return "\n".join(["examples:", *(f"  {example}" for example in examples)])
