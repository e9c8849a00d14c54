# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of the service as lines for people. `width` is None where there is no terminal.

What comes from the service may hold names and texts of other origin (mirrors, packages, messages),
so every value is made harmless on its way into a line.
"""

from __future__ import annotations

import pwd
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import plan as planned
from dockmgrd.cli.view import probe as findings
from dockmgrd.cli.view.layout import field
from dockmgrd.cli.view.text import harmless, size, table, wrapped

_LISTS = (
    ("installed", "installed"),
    ("upgraded", "upgraded"),
    ("downgraded", "downgraded"),
    ("removed", "removed"),
    ("purged", "deleted"),
)
"""Keys of a result that hold lists of what was done, and the word for it."""


def mirrors_of(status: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer to Status says of mirrors."""
    return {
        "configured": status.get("mirrors-configured", []),
        "active": status.get("mirrors-active", []),
        "drift": status.get("mirrors-drift", False),
        "running": status.get("service-state") == "active",
    }


def mirrors(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """The table that `mirrors` prints, from what `mirrors_of` takes out of a status."""
    configured: Sequence[str] = answer.get("configured", [])
    active: Sequence[str] = answer.get("active", [])
    running = answer.get("running", False)
    rows = [
        (url, _yes(url in configured), _yes(url in active) if running else "-")
        for url in dict.fromkeys([*configured, *active])
    ]
    lines = (
        table(("MIRROR", "CONFIGURED", "IN USE"), rows, width)
        if rows
        else [_("No registry mirrors are set.")]
    )
    if not running:
        lines += wrapped(_("The engine does not run; it uses them when it starts."), width)
    elif answer.get("drift"):
        sentence = _(
            "The running engine uses other mirrors, or in another order, than are configured; "
            "'systemctl reload docker' has it use these."
        )
        lines += wrapped(sentence, width)
    return lines


def jobs(records: Iterable[JobRecord], width: int | None) -> list[str]:
    """The table that `jobs` prints."""
    rows = [
        (
            job.job_id,
            job.kind,
            told(job.state),
            _moment(job.created_at),
            _user(job.initiator_uid),
            told(job.error_message or job.message),
        )
        for job in records
    ]
    if not rows:
        return [_("No jobs yet.")]
    return table(("ID", "KIND", "STATE", "WHEN", "WHO", "MESSAGE"), rows, width)


def sources(answer: Iterable[Mapping[str, Any]], width: int | None) -> list[str]:
    """The table that `sources` prints."""
    rows = [
        [
            *(told(str(each.get(key, ""))) for key in _SOURCE_COLUMNS),
            " ".join(filter(None, (_intranet(each), told(str(each.get("notes", "")))))),
        ]
        for each in answer
    ]
    return table([*map(str.upper, _SOURCE_COLUMNS), "NOTES"], rows, width)


def summary(job: JobRecord, width: int | None) -> list[str]:
    """What a job that is done has done."""
    result = job.result
    if "digest" in result and result.get("dry-run"):
        return [*planned.lines(result, width), *_passed_over(result, width)]
    if "versions" in result:
        return [*planned.versions(result, width), *_passed_over(result, width)]
    lines = wrapped(told(_outcome(job)), width)
    if "probed" in result:
        lines = findings.lines(result, width)
    lines += [harmless(told(line)) for line in result.get("diff", "").splitlines()]
    lines += field("then", result.get("actions", []), width)
    for key, word in _LISTS:
        lines += field(word, result.get(key, []), width)
    if result.get("mirrors"):
        lines += field("mirrors", result["mirrors"], width)
    for key, word in (("download-bytes", "downloaded"), ("freed-bytes", "freed")):
        if result.get(key):
            lines += field(word, [size(result[key])], width)
    for note in result.get("notes", []):
        lines += field("note", [note], width)
    return [*lines, *_passed_over(result, width)]


def _passed_over(result: Mapping[str, Any], width: int | None) -> list[str]:
    """Which source served when the first did not, and why the others did not."""
    reasons = [f"{each.get('source')}: {each.get('message')}" for each in result.get("tried", [])]
    source = [result.get("source", "")] if reasons else []
    return [*field("source", source, width), *field("passed over", reasons, width)]


def _outcome(job: JobRecord) -> str:
    if not job.result.get("changed", True):
        return "Nothing to do: all was so already."
    if job.result.get("dry-run"):
        return "This would be done:"
    version = harmless(job.result.get("engine-version", ""))
    return {
        "install": (
            f"Docker Engine {version} is installed and runs."
            if version
            else "The Docker Engine is installed."
        ),
        "set-mirror": (
            "The registry mirrors are set."
            if job.result.get("mirrors")
            else "No registry mirrors are set any more."
        ),
        "uninstall": "The Docker Engine is removed.",
    }.get(job.kind, f"Job {harmless(job.job_id)} is done.")


def _yes(truth: object) -> str:
    return _("yes") if truth else _("no")


def _intranet(source: Mapping[str, Any]) -> str:
    return _("(intranet)") if source.get("intranet") else ""


def _moment(microseconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(microseconds // 1_000_000))
    except (OverflowError, ValueError, OSError):
        return "?"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


_SOURCE_COLUMNS = ("name", "title", "region", "prefix")
