# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the user may do, as a table."""

from __future__ import annotations

from collections.abc import Mapping

from dockmgrd.cli.i18n.translation import _
from dockmgrd.cli.view.text import table

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


def lines(permissions: Mapping[str, str], width: int | None) -> list[str]:
    """One line an action, in the order that the actions are known in."""
    known = [each for each in _ACTIONS if each in permissions]
    others = sorted(permissions.keys() - _ACTIONS.keys())
    rows = [
        (each, _(_MEANINGS.get(permissions[each], permissions[each])), _(_ACTIONS.get(each, "")))
        for each in (*known, *others)
    ]
    return table(("ACTION", "MAY YOU", "WHAT IT IS"), rows, width)
