# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans of the service as lines for people, and the question whether to go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.terminal import answer_width
from dockmgrd.cli.view.text import harmless, size, table, uncut, wrapped
from dockmgrd.cli.waiting import readable
from dockmgrd.errors import Cancelled, from_name
from dockmgrd.messages.text import from_plain

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
        return [_("Nothing to do: all is so already.")]
    shown = [_("This would be done:"), *_packages(plan, width)]
    if plan.get("base-url"):
        text = f"Docker's packages come from {harmless(plan['base-url'])}."
        shown += wrapped(told(text), width)
    if plan.get("download-bytes"):
        shown.append(told(f"To download: {size(plan['download-bytes'])}."))
    growth = plan.get("disk-bytes", 0)
    if growth > 0:
        shown.append(told(f"On the disk: {size(growth)} needed."))
    elif growth < 0:
        shown.append(told(f"On the disk: {size(-growth)} freed."))
    shown += [harmless(told(line)) for line in plan.get("diff", "").splitlines()]
    for key, word in _LISTS:
        for each in plan.get(key, []):
            shown += wrapped(f"{_(word)}: {told(each)}", width)
    for note in plan.get("notes", []):
        shown += wrapped(harmless(f"{_('note')}: {told(note)}"), width)
    return [*shown, f"{_('digest')}: {harmless(plan.get('digest', ''))}"]


def versions(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """The table that `versions` prints."""
    rows = [
        (
            f"{each.get('version', '')}",
            each.get("built", ""),
            size(each["size"]) if each.get("size") else "",
            _("installed") if each.get("installed") else "",
        )
        for each in answer.get("versions", [])
    ]
    if not rows:
        return [_("The source has no version for this host.")]
    return table(("VERSION", "BUILT", "SIZE", ""), rows, width)


def agreed(run: Callable[[Mapping[str, Any]], JobRecord], shown: Callable[[], None]) -> JobRecord:
    """Show the plan, ask, and have exactly that done; a plan that changes is shown again.

    :param run: has a job done with these options added, and returns it when it has ended.
    :param shown: called when the plan is shown and not agreed to yet.
    :raises Cancelled: when the user does not agree.
    :raises DockmgrError: the error with which the plan ended.
    """
    job = run({"dry-run": True})
    while True:
        plan = job.result
        if not (job.done or plan.get("plan-changed")):
            raise job.error()
        if not plan.get("changed", True):
            return job
        print("\n".join(lines(plan, answer_width())))
        if plan.get("refusal"):
            raise from_name(plan["refusal"]["name"], from_plain(plan["refusal"]))
        shown()
        if not confirmed("Do this?"):
            raise Cancelled("Nothing was done, as you did not agree.")
        job = run({"plan": plan["digest"]})
        if not job.result.get("plan-changed"):
            return job


def confirmed(question: str) -> bool:
    """Ask on the terminal; anything but yes is no."""
    print(f"{told(question)} [y/N] ", end="", flush=True)
    readable(sys.stdin.fileno())
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _packages(plan: Mapping[str, Any], width: int | None) -> list[str]:
    rows = [
        (
            _(action),
            each.get("package", ""),
            size(each["download-bytes"]) if each.get("download-bytes") else "",
            _origin(each),
        )
        for action in _ACTIONS
        for each in plan.get(action, [])
    ]
    # Never cut: the user is to agree to each reason.
    return uncut(("ACTION", "PACKAGE", "SIZE", "FROM, OR WHY"), rows, width) if rows else []


def _origin(package: Mapping[str, Any]) -> str:
    where = str(package.get("reason") or package.get("repository", ""))
    replaces = package.get("replaces")
    return told(f"{where}, in place of {replaces}" if replaces else where)
