# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands about registry mirrors, and which of their options go together."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dockmgrd.cli.commands.table import Command, Live, Option, Positional, grouped
from dockmgrd.errors import InvalidArgs

CLEAR = "clear"
FASTEST = "fastest"
LOCAL_KEYS = frozenset({CLEAR, FASTEST})
"""Options that the service does not know: they are about what is asked of it."""

_GROUP = "Registry mirrors"

COMMANDS: tuple[Command, ...] = (
    Command(
        "mirrors",
        "show the registry mirrors",
        "Show which registry mirrors are configured, which of them the engine uses, and whether "
        "that is the same. Everybody may ask.",
        ("dockmgrctl mirrors", "dockmgrctl --json mirrors"),
        group=_GROUP,
    ),
    Command(
        "set-mirror",
        "set the registry mirrors",
        "Make these the engine's registry mirrors, in this order, in place of the ones before. "
        "Containers go on running.",
        (
            "dockmgrctl set-mirror https://mirror.example https://second.example",
            "dockmgrctl set-mirror --fastest --append",
        ),
        (
            *grouped(
                "What to do with them",
                Option("--append", "mode", "add them behind those that are set", value="append"),
                Option(
                    "--remove", "mode", "take them away from those that are set", value="remove"
                ),
                Option("--clear", CLEAR, "use no mirror any more"),
                Option("--fastest", FASTEST, "try them, or the candidates, and set the best"),
            ),
            *grouped(
                "How it is done",
                Option("--verify", "verify", "try them first, and set none unless all work"),
                Option("--dry-run", "dry-run", "change nothing, show what would be changed"),
            ),
        ),
        Positional(
            "mirrors",
            "URL",
            "mirror of the registry, the first is tried first",
            many=True,
            values=Live.MIRRORS,
        ),
        group=_GROUP,
    ),
    Command(
        "probe",
        "try registry mirrors",
        "Pull a small image through each mirror, all at once, and show which work and how fast. "
        "The exit code is 0 when one of them works.",
        ("dockmgrctl probe", "dockmgrctl probe https://mirror.example"),
        (
            Option(
                "--timeout",
                "timeout",
                "how long to wait for each, 10 unless said otherwise",
                metavar="SECONDS",
                number=True,
            ),
        ),
        Positional(
            "mirrors",
            "URL",
            "mirror to try, not the candidates of this host",
            many=True,
            values=Live.MIRRORS,
        ),
        group=_GROUP,
    ),
)


def check_set_mirror(
    arguments: Sequence[str], given: Collection[str], mirrors: Sequence[str]
) -> None:
    """Refuse options of set-mirror that do not go together.

    :param given: keys of the options that were given.
    :raises InvalidArgs: saying which.
    """
    hint = "'dockmgrctl set-mirror --help' shows examples."
    if "--append" in arguments and "--remove" in arguments:
        raise InvalidArgs(f"--append and --remove cannot be given together; {hint}")
    if FASTEST in given:
        if CLEAR in given or "--remove" in arguments or "verify" in given:
            raise InvalidArgs(f"--fastest goes with --append and --dry-run alone; {hint}")
    elif bool(mirrors) == (CLEAR in given) or (CLEAR in given and "mode" in given):
        raise InvalidArgs(
            f"set-mirror takes either the URLs of mirrors, or --clear or --fastest; {hint}"
        )
