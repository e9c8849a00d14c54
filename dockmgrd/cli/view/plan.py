# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans of the service as lines for people, and the question whether to carry them out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dockmgrd.cli.i18n.translation import N_, _, translate_message
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.layout import add_colon
from dockmgrd.cli.view.terminal import get_answer_width
from dockmgrd.cli.view.text import format_size, format_whole_table, harmless, wrap
from dockmgrd.cli.waiting import wait_until_readable
from dockmgrd.errors import Cancelled, ContainersRunning, DockmgrError, from_name
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import from_plain

_ACTIONS = {
    "install": N_("install"),
    "upgrade": N_("upgrade"),
    "downgrade": N_("downgrade"),
    "remove": N_("remove"),
}
_LISTS = (
    ("stops", N_("Stops the containers")),
    ("deletes", N_("Deletes")),
    ("volumes", N_("Deletes the volumes")),
)
_INDENT = "  "


def format_plan(
    plan: Mapping[str, Any], width: int | None, *, with_digest: bool = True
) -> list[str]:
    """Return what the plan of an installation or a removal will do."""
    if not plan.get("changed"):
        return [_("Nothing to do.")]
    lines = [_("Plan:"), *_format_packages(plan, width)]
    if plan.get("base-url"):
        text = _("Docker's packages come from {url}").format(url=_expand_url(plan))
        lines += wrap(harmless(text), width)
    if plan.get("download-bytes"):
        lines.append(_("Download: {size}").format(size=format_size(plan["download-bytes"])))
    growth = plan.get("disk-bytes", 0)
    if growth:
        text = _("Disk space: {size} will be used") if growth > 0 else _("Disk space: {size} freed")
        lines.append(text.format(size=format_size(abs(growth))))
    lines += format_diff(plan)
    lines += _format_list(_("Then"), map(translate_message, plan.get("actions", [])), width)
    for key, label in _LISTS:
        lines += _format_list(_(label), plan.get(key, []), width)
    lines += _format_list(_("Notes"), map(translate_message, plan.get("notes", [])), width)
    if with_digest and plan.get("digest"):
        lines.append(harmless(_("Digest: {digest}").format(digest=plan["digest"])))
    return lines


def format_diff(result: Mapping[str, Any]) -> list[str]:
    """Return the changes of files."""
    return [harmless(line) for line in result.get("diff", "").splitlines()]


def confirm_plan(
    run: Callable[[Mapping[str, Any]], JobRecord], on_plan: Callable[[], None]
) -> JobRecord:
    """Show the plan, ask, and have exactly that done; a plan that changes is shown again.

    :param run: runs a job with these options added, and returns it when it has ended.
    :param on_plan: called when the plan is shown and not confirmed yet.
    :raises Cancelled: if the user does not confirm it.
    :raises DockmgrError: the error with which the plan ended.
    """
    job = run({"dry-run": True})
    while True:
        plan = job.result
        if not (job.is_done or plan.get("plan-changed")):
            raise job.make_error()
        if not plan.get("changed", True):
            return job
        print("\n".join(format_plan(plan, get_answer_width(), with_digest=False)))
        if plan.get("refusal"):
            raise _make_refusal(plan["refusal"])
        on_plan()
        if not confirm(_("Continue?")):
            raise Cancelled(messages.NOT_CONFIRMED())
        job = run({"plan": plan["digest"]})
        if not job.result.get("plan-changed"):
            return job


def _make_refusal(plain: Mapping[str, Any] | str) -> DockmgrError:
    """Return the error with which the service would refuse to carry out the plan."""
    if isinstance(plain, str):  # as version 0.1.0 sends it
        return ContainersRunning(plain)
    return from_name(str(plain.get("name", "")), from_plain(plain))


def confirm(question: str) -> bool:
    """Ask on the terminal; anything but yes is no."""
    print(f"{question} [y/N] ", end="", flush=True)
    wait_until_readable(sys.stdin.fileno())
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _format_packages(plan: Mapping[str, Any], width: int | None) -> list[str]:
    rows = [
        (
            _(word),
            each.get("package", ""),
            format_size(each["download-bytes"]) if each.get("download-bytes") else "",
            _describe_origin(each),
        )
        for action, word in _ACTIONS.items()
        for each in plan.get(action, [])
    ]
    header = (_("ACTION"), _("PACKAGE"), _("SIZE"), _("REPOSITORY / REASON"))
    # Nothing is cut: the user confirms each reason.
    return format_whole_table(header, rows, width) if rows else []


def _describe_origin(package: Mapping[str, Any]) -> str:
    origin = translate_message(package.get("reason") or str(package.get("repository", "")))
    replaced = package.get("replaces")
    if not replaced:
        return origin
    return _("{origin}, in place of {package}").format(origin=origin, package=replaced)


def _format_list(label: str, values: Iterable[str], width: int | None) -> list[str]:
    room = None if width is None else max(width - len(_INDENT), 1)
    lines = [_INDENT + line for value in values for line in wrap(harmless(value), room)]
    return [add_colon(label), *lines] if lines else []


def _expand_url(plan: Mapping[str, Any]) -> str:
    """Return the URL as dnf uses it on the host of the plan, as far as its packages tell."""
    url = str(plan["base-url"])
    packages = (each.get("package", "") for action in _ACTIONS for each in plan.get(action, []))
    architectures = {nevra.rpartition(".")[2] for nevra in packages} - {"noarch"}
    return url.replace("$basearch", *architectures) if len(architectures) == 1 else url
