# SPDX-License-Identifier: LGPL-2.1-or-later
"""All commands of dockmgrctl, and the options that each of them has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dockmgrd.cli.commands import mirrors as mirror_commands
from dockmgrd.cli.commands import packages as package_commands
from dockmgrd.cli.commands.table import Command, Live, Option, Positional
from dockmgrd.cli.i18n.translation import N_

PROGRAM = "dockmgrctl"
DESCRIPTION = N_("Install, configure and remove Docker Engine on this host.")

JSON_FORMS = ("short", "pretty", "off")
JSON_AUTO = "auto"
"""What a bare --json stands for: pretty on a terminal, short elsewhere."""

COMMON: tuple[Option, ...] = (
    Option(
        "--host",
        "host",
        N_("manage HOST over SSH (default: this host)"),
        metavar="[USER@]HOST[:PORT]",
        example="root@web1",
        single=True,
        short="-H",
    ),
    Option(
        "--json",
        "json",
        N_("print one JSON document, one of short, pretty, off (default: off)"),
        metavar="FORM",
        example="short",
        implied=JSON_AUTO,
        values=JSON_FORMS,
    ),
    Option("--quiet", "quiet", N_("print neither progress nor a summary"), short="-q"),
    Option(
        "--no-ask-password",
        "ask_password",
        N_("never prompt for a password"),
        value=False,
    ),
    Option("--no-pager", "pager", N_("do not use a pager"), value=False),
    Option("--help", "help", N_("show this help"), short="-h"),
)

_JOBS, _MORE = N_("Jobs"), N_("More")
_JOB = Positional(
    "job",
    "JOB",
    N_("id of the job, or its end (default: the running job, or the last one)"),
    values=Live.JOBS,
    optional=True,
)
_RUNNING_JOB = replace(
    _JOB,
    help=N_("id of the job, or its end (default: the running job)"),
    values=Live.RUNNING_JOBS,
)
_COMMAND = Positional("topic", "COMMAND", N_("command to explain"), optional=True)
_LOG = (
    Option("--follow", "log-follow", N_("show new entries as they appear"), short="-f"),
    Option(
        "--lines",
        "log-lines",
        N_("number of the latest entries to show (default: all)"),
        metavar="LINES",
        example="20",
        number=True,
        short="-n",
    ),
    Option("--catalog", "log-catalog", N_("explain entries, as journalctl -x does"), short="-x"),
)
_PERMISSIONS = Command(
    "permissions",
    N_("show what you are allowed to do"),
    N_(
        "Show which actions polkit allows you at once, which after a password, and which not. "
        "You are not asked for a password."
    ),
    ("dockmgrctl permissions", "dockmgrctl --json permissions"),
    group=_MORE,
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "status",
        N_("show the state of Docker Engine"),
        N_(
            "Show what is installed and from which source, what is running, which mirrors are in "
            "use, and problems with their remedies. Anyone may do this."
        ),
        ("dockmgrctl status", "dockmgrctl --host root@web1 status"),
        group=N_("Engine"),
    ),
    *package_commands.COMMANDS,
    *mirror_commands.COMMANDS,
    Command(
        "jobs",
        N_("list the jobs, newest first"),
        N_(
            "List the latest jobs: what each did to the engine of this host, who started it, and "
            "how it ended. Plans, which changed nothing, are listed apart."
        ),
        ("dockmgrctl jobs", "dockmgrctl --json jobs"),
        group=_JOBS,
        long=True,
    ),
    Command(
        "follow",
        N_("show a job until it ends"),
        N_(
            "Show the progress of a job until it ends, and then its result. The exit code is that "
            "of the command that started it."
        ),
        ("dockmgrctl follow", "dockmgrctl follow 3fa2b1"),
        positional=_JOB,
        group=_JOBS,
    ),
    Command(
        "log",
        N_("show the log of a job"),
        N_(
            "Show the log of a job with journalctl, as far as you are allowed to read it. The exit "
            "code is that of journalctl; with --host, 255 means that ssh failed."
        ),
        ("dockmgrctl log -f", "dockmgrctl --json log 3fa2b1"),
        _LOG,
        positional=_JOB,
        group=_JOBS,
    ),
    Command(
        "cancel",
        N_("cancel a job"),
        N_(
            "Cancel a job and wait until it has ended. This is possible until it begins to write "
            "packages."
        ),
        ("dockmgrctl cancel", "dockmgrctl cancel 3fa2b1"),
        positional=_RUNNING_JOB,
        group=_JOBS,
    ),
    _PERMISSIONS,
    replace(_PERMISSIONS, name="can", hidden=True),
    Command(
        "version",
        N_("show the versions of dockmgrctl and dockmgrd"),
        N_("Show the version of this program, and that of the service if it can be reached."),
        ("dockmgrctl version", "dockmgrctl --json version"),
        group=_MORE,
    ),
    Command(
        "help",
        N_("explain a command"),
        N_("Explain a command, or list all commands."),
        ("dockmgrctl help", "dockmgrctl help install"),
        positional=_COMMAND,
        group=_MORE,
    ),
)
LISTED_COMMANDS = tuple(each for each in COMMANDS if not each.hidden)

SYNONYMS: Mapping[str, str] = {
    "remove": f"{PROGRAM} uninstall",
    "erase": f"{PROGRAM} uninstall",
    "purge": f"{PROGRAM} uninstall --purge-data",
    "update": f"{PROGRAM} upgrade",
    "list": f"{PROGRAM} versions",
    "search": f"{PROGRAM} versions",
    "info": f"{PROGRAM} status",
    "show": f"{PROGRAM} status",
    "history": f"{PROGRAM} jobs",
    "logs": f"{PROGRAM} log",
    "start": "systemctl start docker",
    "stop": "systemctl stop docker",
    "restart": "systemctl restart docker",
    "reload": "systemctl reload docker",
}
"""Commands of other tools, and what does the same here."""


def find_command(name: str) -> Command | None:
    """Return the command of that name."""
    return next((each for each in COMMANDS if each.name == name), None)
