# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers that are a small table: what the user may do, and which versions run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockmgrd import __version__
from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.view.text import harmless, table, wrapped

_MEANINGS = {"yes": "yes", "auth": "after a password", "no": "no"}
_ACTIONS = {
    "install": "install Docker from a source",
    "install-custom": "install Docker from an own repository or address",
    "set-mirror": "set registry mirrors",
    "set-mirror-insecure": "set mirrors without TLS, or not on the administrator's list",
    "probe": "try mirrors that this host does not list",
    "uninstall": "remove Docker",
    "purge-data": "delete images, containers and volumes",
    "cancel": "cancel the jobs of others",
    "manage": "all of the everyday actions",
}


def format_permissions(permissions: Mapping[str, str], width: int | None) -> list[str]:
    """One line an action, in the order that the actions are known in."""
    known = [each for each in _ACTIONS if each in permissions]
    others = sorted(permissions.keys() - _ACTIONS.keys())
    rows = [
        (each, _(_MEANINGS.get(permissions[each], permissions[each])), _(_ACTIONS.get(each, "")))
        for each in (*known, *others)
    ]
    return table(("ACTION", "MAY YOU", "WHAT IT IS"), rows, width)


def compare_versions(daemon: str | None, trouble: str = "") -> dict[str, Any]:
    """The answer of `version`.

    :param daemon: None when it cannot be reached, which `trouble` explains.
    """
    if daemon not in (None, __version__):
        trouble = (
            "They differ, as after an upgrade; 'systemctl try-restart dockmgrd.service' starts the "
            "new dockmgrd, and no job is harmed."
        )
    return {"dockmgrctl": __version__, "dockmgrd": daemon, "problem": trouble}


def format_program_versions(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """The answer for people."""
    programs = {name: answer.get(name) for name in ("dockmgrctl", "dockmgrd")}
    shown = [f"{name:10} {harmless(version)}" for name, version in programs.items() if version]
    return shown + wrapped(harmless(told(answer["problem"])), width) * bool(answer.get("problem"))
