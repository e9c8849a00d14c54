# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands about packages: install, uninstall, and what there is to choose from."""

from __future__ import annotations

from dockmgrd.cli.commands.table import Command, Live, Option, grouped

YES = "yes"
LOCAL_KEYS = frozenset({YES})
"""Options that the service does not know."""

_GROUP = "Engine"
_WHAT, _WHERE, _HOW = "What to install", "The engine on this host", "How it is done"

_LOCK_WAIT = Option(
    "--lock-wait",
    "lock-wait",
    "how long to wait while dnf is busy, 60 unless said otherwise",
    metavar="SECONDS",
    number=True,
)
_PLAN = (
    _LOCK_WAIT,
    Option("--dry-run", "dry-run", "change nothing, show what would be done"),
    Option(
        "--plan", "plan", "do what the plan with this digest says, or nothing", metavar="DIGEST"
    ),
    Option("--yes", YES, "do not ask before it is done", short="-y"),
)
_SOURCE = Option(
    "--source",
    "source",
    "where packages come from; with commas, the first that works",
    metavar="NAME[,NAME…]",
    values=Live.SOURCES,
)
_CHANNEL = Option(
    "--channel", "channel", "stable or test", metavar="CHANNEL", values=("stable", "test")
)
_PLATFORM = Option(
    "--platform",
    "platform",
    "packages for another system, such as rhel/9",
    metavar="TREE/VERSION",
)
_FROM_ELSEWHERE = (
    Option(
        "--containerd-rpm",
        "containerd-rpm",
        "containerd.io from this address, where the source has none that fits",
        metavar="URL",
    ),
    Option(
        "--repo-url", "repo-url", "a repository of your own in place of a source", metavar="URL"
    ),
)
_INSTALL = (
    *grouped(
        _WHAT,
        _SOURCE,
        _CHANNEL,
        Option(
            "--version",
            "version",
            "version such as 28.5.1, not the newest",
            metavar="VERSION",
            values=Live.VERSIONS,
        ),
        _PLATFORM,
        *_FROM_ELSEWHERE,
        Option("--minimal", "minimal", "without the plug-ins and other recommended packages"),
        Option("--completion", "completion", "with completion of docker's command line"),
    ),
    *grouped(
        _WHERE,
        Option(
            "--mirror",
            "mirrors",
            "registry mirror to set; give it once for each",
            metavar="URL",
            repeatable=True,
            values=Live.MIRRORS,
        ),
        Option("--no-start", "start", "do not start the engine", value=False),
        Option("--no-enable", "enable", "do not have it start at boot", value=False),
    ),
    *grouped(
        _HOW,
        Option("--replace-conflicting", "replace-conflicting", "remove packages in the way"),
        *_PLAN,
    ),
)
_UNINSTALL = (
    *grouped(
        "What to remove",
        Option("--purge-data", "purge-data", "delete images, containers and volumes too"),
        Option("--keep-config", "keep-config", "keep the engine's configuration files"),
    ),
    *grouped(_HOW, Option("--force", "force", "stop containers that run"), *_PLAN),
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "install",
        "install the Docker Engine and start it",
        "Install the Docker Engine from a source, or bring it to another version, and start it. "
        "What is so already is not done again. On a terminal the plan is shown first.",
        (
            "dockmgrctl install --source aliyun,tuna",
            "dockmgrctl install --version 28.5.1 --mirror https://mirror.example",
        ),
        _INSTALL,
        group=_GROUP,
    ),
    Command(
        "uninstall",
        "remove the Docker Engine",
        "Remove the Docker Engine. Images, containers and volumes stay unless --purge-data is "
        "given. On a terminal the plan is shown first.",
        ("dockmgrctl uninstall", "dockmgrctl uninstall --purge-data --force"),
        _UNINSTALL,
        group=_GROUP,
    ),
    Command(
        "versions",
        "list the versions that can be installed",
        "Ask a source which versions of the Docker Engine it has for this host.",
        ("dockmgrctl versions", "dockmgrctl versions --source tuna --channel test"),
        grouped(_WHAT, _SOURCE, _CHANNEL, _PLATFORM),
        group=_GROUP,
        long=True,
    ),
    Command(
        "sources",
        "list the package sources",
        "List the sources that 'install --source' takes, the administrator's own among them.",
        ("dockmgrctl sources", "dockmgrctl --json sources"),
        group=_GROUP,
        long=True,
    ),
)
