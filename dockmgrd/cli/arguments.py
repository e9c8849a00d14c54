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
from dockmgrd.errors import InvalidArgs

PROGRAM = "dockmgrctl"


@dataclass(frozen=True)
class Option:
    """An option of a command. `key` is its name on the bus, where `value` is what the flag says.

    With a `metavar` the user gives the value instead; a `repeatable` one makes a list of them.
    """

    flag: str
    key: str
    help: str
    value: bool = True
    metavar: str | None = None
    repeatable: bool = False


@dataclass(frozen=True)
class Positional:
    """What a command takes without a dash: one value, or any number of them in a tuple."""

    name: str
    metavar: str
    help: str
    many: bool = False


@dataclass(frozen=True)
class Command:
    name: str
    help: str
    description: str
    examples: tuple[str, str]
    options: tuple[Option, ...] = ()
    positional: Positional | None = None


_JOB = Positional("job", "JOB", "id of the job as 'jobs' shows it, or its ending")

COMMANDS: tuple[Command, ...] = (
    Command(
        "status",
        "show the state of the Docker Engine",
        "Show what is installed, from which source, what runs, which mirrors are live, and what "
        "is wrong. Everybody may ask.",
        ("dockmgrctl status", "dockmgrctl --json status"),
    ),
    Command(
        "install",
        "install the Docker Engine and start it",
        "Install the Docker Engine from a source, or bring it to another version, and start it. "
        "What is so already is not done again.",
        (
            "dockmgrctl install --source aliyun",
            "dockmgrctl install --version 28.5.1 --mirror https://mirror.example",
        ),
        (
            Option(
                "--source",
                "source",
                "where packages come from; 'sources' lists them",
                metavar="NAME",
            ),
            Option("--channel", "channel", "stable or test", metavar="CHANNEL"),
            Option(
                "--version", "version", "version such as 28.5.1, not the newest", metavar="VERSION"
            ),
            Option("--minimal", "minimal", "without the plug-ins and other recommended packages"),
            Option(
                "--mirror",
                "mirrors",
                "registry mirror to set; give it once for each",
                metavar="URL",
                repeatable=True,
            ),
            Option("--replace-conflicting", "replace-conflicting", "remove packages in the way"),
            Option("--no-start", "start", "do not start the engine", value=False),
            Option("--no-enable", "enable", "do not have it start at boot", value=False),
        ),
    ),
    Command(
        "set-mirror",
        "set the registry mirrors",
        "Make these the engine's registry mirrors, in this order, in place of the ones before. "
        "Containers go on running.",
        (
            "dockmgrctl set-mirror https://mirror.example https://second.example",
            "dockmgrctl set-mirror --clear",
        ),
        (Option("--clear", "clear", "use no mirror any more"),),
        Positional("mirrors", "URL", "mirror of the registry, the first is tried first", many=True),
    ),
    Command(
        "uninstall",
        "remove the Docker Engine",
        "Remove the Docker Engine. Images, containers and volumes stay unless --purge-data is "
        "given.",
        ("dockmgrctl uninstall", "dockmgrctl uninstall --purge-data --force"),
        (
            Option("--purge-data", "purge-data", "delete images, containers and volumes too"),
            Option("--keep-config", "keep-config", "keep the engine's configuration files"),
            Option("--force", "force", "stop containers that run"),
        ),
    ),
    Command(
        "sources",
        "list the package sources",
        "List the sources that 'install --source' takes, the administrator's own among them.",
        ("dockmgrctl sources", "dockmgrctl --json sources"),
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
    if command.name == "set-mirror":
        mirrors = tuple(given["mirrors"])
        if bool(mirrors) == options.pop("clear", False):
            raise InvalidArgs(
                f"set-mirror takes either the URLs of mirrors or --clear; '{PROGRAM} set-mirror "
                "--help' shows examples."
            )
    return Invocation(
        command=command.name,
        options=options,
        mirrors=mirrors,
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
        parser.add_argument(
            option.flag, dest=option.key, default=argparse.SUPPRESS, help=option.help, **takes
        )


def _filled(text: str) -> str:
    """The text in lines as long as those that argparse makes: it leaves raw descriptions alone."""
    return textwrap.fill(text, shutil.get_terminal_size().columns - 2)


def _epilog(examples: Sequence[str]) -> str:
    return "\n".join(["examples:", *(f"  {example}" for example in examples)])
