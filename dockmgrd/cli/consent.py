# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether a command shows its plan and asks for confirmation before it changes anything."""

from __future__ import annotations

import sys

from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.enums import Kind

_KINDS = (Kind.INSTALL, Kind.UNINSTALL)


def asks_first(invocation: Invocation) -> bool:
    """Return whether a user can see the plan first, and has not decided already."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not invocation.json
    return may_ask(invocation) and is_terminal


def may_ask(invocation: Invocation) -> bool:
    """Return whether the command has a plan to confirm, and the user has not decided already."""
    is_decided = invocation.yes or invocation.options.keys() & {"plan", "dry-run"}
    return invocation.kind in _KINDS and not is_decided
