# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether a command shows its plan and asks, before it does anything."""

from __future__ import annotations

import sys

from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.model import Kind

_KINDS = (Kind.INSTALL.value, Kind.UNINSTALL.value)


def asks(invocation: Invocation) -> bool:
    """Whether somebody is there to look at the plan first, and has not said otherwise."""
    talks = sys.stdin.isatty() and sys.stdout.isatty() and not invocation.json
    return may_ask(invocation) and talks


def may_ask(invocation: Invocation) -> bool:
    """Whether the command is one whose plan is shown, and the user has not said otherwise."""
    decided = invocation.yes or invocation.options.keys() & {"plan", "dry-run"}
    return invocation.command in _KINDS and not decided
