# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands about packages: install, upgrade, uninstall, and what there is to choose from."""

from __future__ import annotations

from dockmgrd.cli.commands.table import Command, Live, Option, group_options
from dockmgrd.cli.i18n.translation import N_
from dockmgrd.enums import Kind

YES = "yes"
PROBE_SOURCES = "probe-sources"
LOCAL_KEYS = frozenset({YES, PROBE_SOURCES})
"""Options that the service does not know."""

LATEST = "latest"
"""The value of --version that stands for the newest one."""

_GROUP = N_("Engine")
_WHAT, _WHERE, _HOW = N_("What to install"), N_("The engine on this host"), N_("How to do it")

_LOCK_WAIT = Option(
    "--lock-wait",
    "lock-wait",
    N_("seconds to wait for the package manager's lock (default: 60)"),
    metavar="SECONDS",
    example="300",
    number=True,
)
_PLAN = (
    _LOCK_WAIT,
    Option("--dry-run", "dry-run", N_("show the plan, change nothing")),
    Option(
        "--plan",
        "plan",
        N_("fail unless the plan has this digest (default: any)"),
        metavar="DIGEST",
        example="9f86d081",
    ),
    Option("--yes", YES, N_("do not ask for confirmation"), short="-y"),
)
_SOURCE = Option(
    "--source",
    "source",
    N_(
        "package source, several to try in this order, or fastest to measure them (default: "
        "official, or default-source of dockmgrd.yaml)"
    ),
    metavar="NAME[,NAME…]",
    example="aliyun",
    values=Live.SOURCES,
)
_CHANNEL = Option(
    "--channel",
    "channel",
    N_("one of stable, test (default: stable)"),
    metavar="CHANNEL",
    example="test",
    values=("stable", "test"),
)
_PLATFORM = Option(
    "--platform",
    "platform",
    N_("use the packages of another system, such as rhel/9 (default: those of this host)"),
    metavar="TREE/VERSION",
    example="rhel/9",
)
_FROM_ELSEWHERE = (
    Option(
        "--containerd-rpm",
        "containerd-rpm",
        N_("URL of a containerd.io package, if the source has none for this host (default: none)"),
        metavar="URL",
        example="https://packages.example/containerd.io.rpm",
    ),
    Option(
        "--repo-url",
        "repo-url",
        N_("URL of a repository to use instead of a source (default: none)"),
        metavar="URL",
        example="https://packages.example/docker-ce",
    ),
)
_REPLACE = Option(
    "--replace-conflicting", "replace-conflicting", N_("remove packages that conflict with Docker")
)
_INSTALL = (
    *group_options(
        _WHAT,
        _SOURCE,
        _CHANNEL,
        Option(
            "--version",
            "version",
            N_("version such as 28.5.1, or latest (default: the installed one, or latest)"),
            metavar="VERSION",
            example="28.5.1",
            values=Live.VERSIONS,
        ),
        _PLATFORM,
        *_FROM_ELSEWHERE,
        Option("--minimal", "minimal", N_("omit plug-ins and other recommended packages")),
        Option("--completion", "completion", N_("add the completion of docker's command line")),
    ),
    *group_options(
        _WHERE,
        Option(
            "--mirror",
            "mirrors",
            N_("registry mirror to set; repeat it for several (default: leave as they are)"),
            metavar="URL",
            example="https://mirror.example",
            repeatable=True,
            values=Live.MIRRORS,
        ),
        Option("--no-start", "start", N_("do not start the engine"), value=False),
        Option("--no-enable", "enable", N_("do not start the engine at boot"), value=False),
    ),
    *group_options(_HOW, _REPLACE, *_PLAN),
)
_UNINSTALL = (
    *group_options(
        N_("What to remove"),
        Option("--purge-data", "purge-data", N_("also delete images, containers and volumes")),
        Option("--keep-config", "keep-config", N_("keep the engine's configuration files")),
    ),
    *group_options(_HOW, Option("--force", "force", N_("stop running containers")), *_PLAN),
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "install",
        N_("install Docker Engine and start it"),
        N_(
            "Install Docker Engine from a source, or change its version, and start it. Steps that "
            "are already done are skipped. On a terminal, the plan is shown first."
        ),
        (
            "dockmgrctl install --source aliyun,tuna",
            "dockmgrctl install --version 28.5.1 --mirror https://mirror.example",
        ),
        _INSTALL,
        group=_GROUP,
        kind=Kind.INSTALL,
    ),
    Command(
        "upgrade",
        N_("upgrade Docker Engine to the newest version"),
        N_(
            "Upgrade Docker Engine and its plug-ins to the newest version of the source. On a "
            "terminal, the plan is shown first, with the containers that would stop."
        ),
        ("dockmgrctl upgrade", "dockmgrctl upgrade --source tuna --dry-run"),
        (*group_options(_WHAT, _SOURCE, _CHANNEL), *group_options(_HOW, _REPLACE, *_PLAN)),
        group=_GROUP,
        kind=Kind.INSTALL,
        preset={"upgrade": True},
    ),
    Command(
        "uninstall",
        N_("remove Docker Engine"),
        N_(
            "Remove Docker Engine. Images, containers and volumes are kept unless --purge-data is "
            "given. On a terminal, the plan is shown first."
        ),
        ("dockmgrctl uninstall", "dockmgrctl uninstall --purge-data --force"),
        _UNINSTALL,
        group=_GROUP,
        kind=Kind.UNINSTALL,
    ),
    Command(
        "versions",
        N_("list the versions that can be installed"),
        N_("List the versions of Docker Engine that a source has for this host."),
        ("dockmgrctl versions", "dockmgrctl versions --source tuna --channel test"),
        group_options(_WHAT, _SOURCE, _CHANNEL, _PLATFORM),
        group=_GROUP,
        long=True,
        kind=Kind.LIST_VERSIONS,
    ),
    Command(
        "sources",
        N_("list the package sources"),
        N_("List the values of --source, with those that the administrator has added."),
        ("dockmgrctl sources", "dockmgrctl sources --probe"),
        (
            Option(
                "--probe",
                PROBE_SOURCES,
                N_("measure them from here, and show the best first"),
            ),
        ),
        group=_GROUP,
        long=True,
    ),
)
