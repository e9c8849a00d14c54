# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans of the service as lines for people, and the question whether to go on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from dockmgrd.cli.text import harmless, size, table, wrapped

_ACTIONS = ("install", "upgrade", "downgrade", "remove")
_LISTS = (
    ("actions", "then"),
    ("stops", "stops container"),
    ("deletes", "deletes"),
    ("volumes", "deletes volume"),
)


def lines(plan: Mapping[str, Any], width: int | None) -> list[str]:
    """What the plan of an installation or its undoing does."""
    if not plan.get("changed"):
        return ["Nothing to do: all is so already."]
    shown = ["This would be done:", *_packages(plan)]
    if plan.get("download-bytes"):
        shown.append(f"To download: {size(plan['download-bytes'])}.")
    growth = plan.get("disk-bytes", 0)
    if growth:
        word = "needed" if growth > 0 else "freed"
        shown.append(f"On the disk: {size(abs(growth))} {word}.")
    shown += [harmless(line) for line in plan.get("diff", "").splitlines()]
    for key, word in _LISTS:
        shown += [line for each in plan.get(key, []) for line in wrapped(f"{word}: {each}", width)]
    for note in plan.get("notes", []):
        shown += wrapped(harmless(f"note: {note}"), width)
    return [*shown, f"digest: {harmless(plan.get('digest', ''))}"]


def versions(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """The table that `versions` prints."""
    rows = [
        (
            f"{each.get('version', '')}",
            each.get("built", ""),
            size(each["size"]) if each.get("size") else "",
            "installed" if each.get("installed") else "",
        )
        for each in answer.get("versions", [])
    ]
    if not rows:
        return ["The source has no version for this host."]
    return table(("VERSION", "BUILT", "SIZE", ""), rows, width)


async def confirmed(question: str) -> bool:
    """Ask on the terminal; anything but yes is no."""
    print(f"{question} [y/N] ", end="", flush=True)
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    # Not in a thread: Ctrl-C could not end one that reads.
    loop.add_reader(sys.stdin.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _packages(plan: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            action,
            each.get("package", ""),
            size(each["download-bytes"]) if each.get("download-bytes") else "",
            _origin(each),
        )
        for action in _ACTIONS
        for each in plan.get(action, [])
    ]
    # Never cut: the user is to agree to each reason.
    return table(("ACTION", "PACKAGE", "SIZE", "FROM, OR WHY"), rows, None) if rows else []


def _origin(package: Mapping[str, Any]) -> str:
    where = str(package.get("reason") or package.get("repository", ""))
    replaces = package.get("replaces")
    return f"{where}, in place of {replaces}" if replaces else where
