# SPDX-License-Identifier: LGPL-2.1-or-later
"""All commands of dockmgrctl, and the options that each of them has."""

from __future__ import annotations

from dataclasses import replace

from dockmgrd.cli.commands import mirrors as mirror_commands
from dockmgrd.cli.commands import packages as package_commands
from dockmgrd.cli.commands.table import Command, Live, Option, Positional

PROGRAM = "dockmgrctl"
DESCRIPTION = "Install the Docker Engine, set its registry mirrors, take it off again."

JSON_FORMS = ("short", "pretty", "off")
JSON_AUTO = "auto"
"""What a bare --json stands for: pretty on a terminal, short elsewhere."""

COMMON: tuple[Option, ...] = (
    Option(
        "--host",
        "hosts",
        "do it on that host, by ssh; on several when given again, or with commas",
        metavar="[USER@]HOST",
        repeatable=True,
        short="-H",
    ),
    Option(
        "--json",
        "json",
        "print one JSON document: short, pretty or off; progress is JSON lines on standard error",
        metavar="FORM",
        implied=JSON_AUTO,
        values=JSON_FORMS,
    ),
    Option("--quiet", "quiet", "print no progress and no summary of what was done", short="-q"),
    Option("--no-ask-password", "ask_password", "never ask for a password", value=False),
    Option("--no-pager", "pager", "do not show long answers in a pager", value=False),
    Option("--help", "help", "show this", short="-h"),
)

_JOBS, _MORE = "Jobs", "More"
_JOB = Positional("job", "JOB", "id of the job as 'jobs' shows it, or its ending", values=Live.JOBS)
_COMMAND = Positional("topic", "COMMAND", "the command to explain", optional=True)

COMMANDS: tuple[Command, ...] = (
    Command(
        "status",
        "show the state of the Docker Engine",
        "Show what is installed, from which source, what runs, which mirrors are live, and what "
        "is wrong. Everybody may ask.",
        ("dockmgrctl status", "dockmgrctl --host web1,web2 status"),
        group="Engine",
    ),
    *package_commands.COMMANDS,
    *mirror_commands.COMMANDS,
    Command(
        "jobs",
        "list the jobs, newest first",
        "List the last jobs: what was done to the engine of this host, by whom, and how it ended.",
        ("dockmgrctl jobs", "dockmgrctl --json jobs"),
        group=_JOBS,
        long=True,
    ),
    Command(
        "follow",
        "show a job until it ends",
        "Show the progress of a job, and its result when it has ended. The exit code is that of "
        "the command that started it.",
        ("dockmgrctl follow 20260131T120000_3fa2b1", "dockmgrctl follow 3fa2b1"),
        positional=_JOB,
        group=_JOBS,
    ),
    Command(
        "log",
        "show the log of a job",
        "Show what a job has logged, by journalctl. Without root it shows what the user may see.",
        ("dockmgrctl log 3fa2b1", "dockmgrctl --json log 3fa2b1"),
        positional=_JOB,
        group=_JOBS,
    ),
    Command(
        "cancel",
        "stop a job",
        "Stop a job, which is possible until packages are written, and wait for its end.",
        ("dockmgrctl cancel 20260131T120000_3fa2b1", "dockmgrctl cancel 3fa2b1"),
        positional=replace(_JOB, values=Live.RUNNING_JOBS),
        group=_JOBS,
    ),
    Command(
        "can",
        "show what you may do",
        "Show which actions polkit lets you do at once, which after a password, and which not. "
        "Nobody is asked for anything.",
        ("dockmgrctl can", "dockmgrctl --json can"),
        group=_MORE,
    ),
    Command(
        "version",
        "show the versions of dockmgrctl and dockmgrd",
        "Show the version of this program, and that of the service if it can be reached.",
        ("dockmgrctl version", "dockmgrctl --json version"),
        group=_MORE,
    ),
    Command(
        "help",
        "explain a command",
        "Explain a command, or list all of them.",
        ("dockmgrctl help", "dockmgrctl help install"),
        positional=_COMMAND,
        group=_MORE,
    ),
)


def find(name: str) -> Command | None:
    """The command of that name."""
    return next((each for each in COMMANDS if each.name == name), None)
