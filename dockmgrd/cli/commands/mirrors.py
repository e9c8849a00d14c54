# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands about registry mirrors, and which of their options exclude each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockmgrd.cli.commands.table import Command, Live, Option, Positional, group_options
from dockmgrd.cli.i18n.translation import N_
from dockmgrd.enums import Kind
from dockmgrd.errors import InvalidArgs, quote
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import Text

CLEAR = "clear"
FASTEST = "fastest"
LOCAL_KEYS = frozenset({CLEAR, FASTEST})
"""Options that the service does not know: they decide what it is asked for."""

WELL_KNOWN_REGISTRIES = (
    *("docker.io", "gcr.io", "ghcr.io", "lscr.io", "mcr.microsoft.com", "nvcr.io"),
    *("public.ecr.aws", "quay.io", "registry.k8s.io"),
)
"""Registries that a shell offers."""

_REGISTRY = Option(
    "--registry",
    "registry",
    N_("the registry that they are mirrors of (default: docker.io)"),
    metavar="REGISTRY",
    example="ghcr.io",
    values=WELL_KNOWN_REGISTRIES,
)
_GROUP = N_("Registry mirrors")
_HELP = "dockmgrctl set-mirror --help"

COMMANDS: tuple[Command, ...] = (
    Command(
        "mirrors",
        N_("show the registry mirrors"),
        N_(
            "Show which registry mirrors are configured, which of them the engine uses, and "
            "whether the two agree. Anyone may do this."
        ),
        ("dockmgrctl mirrors", "dockmgrctl --json mirrors"),
        group=_GROUP,
    ),
    Command(
        "set-mirror",
        N_("set the registry mirrors"),
        N_(
            "Replace the engine's mirrors of Docker Hub, or of another registry, by these, in this "
            "order. Containers keep running."
        ),
        (
            "dockmgrctl set-mirror https://mirror.example https://second.example",
            "dockmgrctl set-mirror --fastest --append",
        ),
        (
            *group_options(
                N_("What to do with them"),
                Option("--append", "mode", N_("add them after the present ones"), value="append"),
                Option("--remove", "mode", N_("remove them"), value="remove"),
                Option("--clear", CLEAR, N_("remove all mirrors")),
                Option(
                    "--fastest",
                    FASTEST,
                    N_("probe them, or this host's candidates, and set the best one"),
                ),
            ),
            *group_options(
                N_("How to do it"),
                _REGISTRY,
                Option(
                    "--allow-unused",
                    "allow-unused",
                    N_("set mirrors of a registry that this engine would not use"),
                ),
                Option("--verify", "verify", N_("probe them first, and fail unless all work")),
                Option("--dry-run", "dry-run", N_("show the plan, change nothing")),
            ),
        ),
        Positional(
            "mirrors",
            "URL",
            N_("registry mirror; the engine tries the first one first"),
            many=True,
            values=Live.MIRRORS,
        ),
        group=_GROUP,
        kind=Kind.SET_MIRROR,
    ),
    Command(
        "probe",
        N_("try registry mirrors"),
        N_(
            "Pull a small image through each mirror, all at once, and show which mirrors work and "
            "how fast. The exit code is 0 if one of them works."
        ),
        ("dockmgrctl probe", "dockmgrctl probe https://mirror.example"),
        (
            _REGISTRY,
            Option(
                "--timeout",
                "timeout",
                N_("seconds to wait for each mirror (default: 10)"),
                metavar="SECONDS",
                example="30",
                number=True,
            ),
        ),
        Positional(
            "mirrors",
            "URL",
            N_("registry mirror (default: this host's candidates)"),
            many=True,
            values=Live.MIRRORS,
        ),
        group=_GROUP,
        kind=Kind.PROBE,
    ),
)


def check_set_mirror(
    arguments: Sequence[str], keys: Mapping[str, Any], mirrors: Sequence[str]
) -> None:
    """Check that the options of set-mirror do not exclude each other.

    :param keys: the options on the command line by their keys.
    :raises InvalidArgs: saying which do.
    """
    if "--append" in arguments and "--remove" in arguments:
        raise _make_error(messages.APPEND_WITH_REMOVE())
    if FASTEST in keys:
        if CLEAR in keys or "--remove" in arguments or "verify" in keys:
            raise _make_error(messages.FASTEST_WITH_OTHERS())
    elif bool(mirrors) == (CLEAR in keys) or (CLEAR in keys and "mode" in keys):
        raise _make_error(messages.SET_MIRROR_NEEDS_URL())


def check_urls(mirrors: Iterable[str]) -> None:
    """Check that the mirrors look like URLs; the service checks the rest.

    :raises InvalidArgs: with the URL that was probably meant.
    """
    for mirror in mirrors:
        if "://" not in mirror:
            text = messages.NOT_A_URL(value=quote(mirror))
            meant = messages.DID_YOU_MEAN_URL(url=f"https://{mirror}")
            raise InvalidArgs(text.with_remedy(meant) if _is_host(mirror) else text)


def _is_host(text: str) -> bool:
    host = text.partition("/")[0].replace(".", "").replace("-", "").replace(":", "")
    return bool(host) and host.isascii() and host.isalnum()


def _make_error(text: Text) -> InvalidArgs:
    return InvalidArgs(text.with_remedy(messages.SEE_HELP(command=_HELP), _HELP))
