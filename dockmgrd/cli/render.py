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

from dockmgrd.cli import findings, planned
from dockmgrd.cli.jobs import JobRecord
from dockmgrd.cli.text import harmless, size, table, wrapped
from dockmgrd.names import JOB_PATH_PREFIX

_LABEL_CELLS = 11
_LISTS = (
    ("installed", "installed"),
    ("upgraded", "upgraded"),
    ("downgraded", "downgraded"),
    ("removed", "removed"),
    ("purged", "deleted"),
)
"""Keys of a result that hold lists of what was done, and the word for it."""


def status(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """The block that `status` prints."""
    lines = wrapped(_headline(answer), width)
    fields = (
        ("Packages", _packages(answer.get("packages", {}))),
        ("Source", _source(answer)),
        ("Service", [answer.get("service-state", "")] if answer.get("installed") else []),
        ("Mirrors", _mirrors(answer)),
        ("Platform", [answer.get("platform", "")]),
        ("Job", [answer.get("active-job", "/").replace(JOB_PATH_PREFIX, "").strip("/")]),
    )
    for label, values in fields:
        lines += _field(label, values, width)
    for problem in answer.get("problems", []):
        lines += _field("Problem", [problem.get("text", "")], width)
        lines += _field("Remedy", [problem.get("remedy", "")], width)
    return lines


def mirrors(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """The table that `mirrors` prints, from the answer to Status."""
    configured: Sequence[str] = answer.get("mirrors-configured", [])
    active: Sequence[str] = answer.get("mirrors-active", [])
    running = answer.get("service-state") == "active"
    rows = [
        (url, _yes(url in configured), _yes(url in active) if running else "-")
        for url in dict.fromkeys([*configured, *active])
    ]
    lines = (
        table(("MIRROR", "CONFIGURED", "IN USE"), rows, width)
        if rows
        else ["No registry mirrors are set."]
    )
    if not running:
        lines += wrapped("The engine does not run; it uses them when it starts.", width)
    elif answer.get("mirrors-drift"):
        lines += wrapped(
            "The running engine uses other mirrors, or in another order, than are configured; "
            "'systemctl reload docker' has it use these.",
            width,
        )
    return lines


def jobs(records: Iterable[JobRecord], width: int | None) -> list[str]:
    """The table that `jobs` prints."""
    rows = [
        (
            job.job_id,
            job.kind,
            job.state,
            _moment(job.created_at),
            _user(job.initiator_uid),
            job.error_message or job.message,
        )
        for job in records
    ]
    if not rows:
        return ["No jobs yet."]
    return table(("ID", "KIND", "STATE", "WHEN", "WHO", "MESSAGE"), rows, width)


def sources(answer: Iterable[Mapping[str, Any]], width: int | None) -> list[str]:
    """The table that `sources` prints."""
    rows = [
        [
            *(str(each.get(key, "")) for key in _SOURCE_COLUMNS),
            " ".join(filter(None, ("(intranet)" * bool(each.get("intranet")), each.get("notes")))),
        ]
        for each in answer
    ]
    return table([*map(str.upper, _SOURCE_COLUMNS), "NOTES"], rows, width)


def summary(job: JobRecord, width: int | None) -> list[str]:
    """What a job that is done has done."""
    result = job.result
    if "digest" in result:
        return [*planned.lines(result, width), *_passed_over(result, width)]
    if "versions" in result:
        return [*planned.versions(result, width), *_passed_over(result, width)]
    lines = wrapped(_outcome(job), width)
    if "probed" in result:
        lines = findings.lines(result, width)
    lines += [harmless(line) for line in result.get("diff", "").splitlines()]
    lines += _field("then", result.get("actions", []), width)
    for key, word in _LISTS:
        lines += _field(word, result.get(key, []), width)
    if result.get("mirrors"):
        lines += _field("mirrors", result["mirrors"], width)
    for key, word in (("download-bytes", "downloaded"), ("freed-bytes", "freed")):
        if result.get(key):
            lines += _field(word, [size(result[key])], width)
    for note in result.get("notes", []):
        lines += _field("note", [note], width)
    return [*lines, *_passed_over(result, width)]


def _passed_over(result: Mapping[str, Any], width: int | None) -> list[str]:
    """Which source served when the first did not, and why the others did not."""
    reasons = [f"{each.get('source')}: {each.get('message')}" for each in result.get("tried", [])]
    source = [result.get("source", "")] if reasons else []
    return [*_field("source", source, width), *_field("passed over", reasons, width)]


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
    return "yes" if truth else "no"


def _headline(answer: Mapping[str, Any]) -> str:
    if not answer.get("installed"):
        return "The Docker Engine is not installed."
    state = harmless(answer.get("service-state", ""))
    if state == "active":
        return f"Docker Engine {harmless(answer.get('engine-version', ''))}".rstrip() + " runs."
    return f"The Docker Engine is installed and does not run (its service is {state})."


def _packages(packages: Mapping[str, str]) -> list[str]:
    column = max(map(len, packages), default=0)
    return [f"{name:{column}} {version}" for name, version in sorted(packages.items())]


def _source(answer: Mapping[str, Any]) -> list[str]:
    name, file = answer.get("source", ""), answer.get("repository-file", "")
    return [f"{name or 'unknown'} ({file})" if file else name]


def _mirrors(answer: Mapping[str, Any]) -> list[str]:
    configured: Sequence[str] = answer.get("mirrors-configured", [])
    active: Sequence[str] = answer.get("mirrors-active", [])
    running = answer.get("service-state") == "active"
    lines = []
    for url in dict.fromkeys([*active, *configured]):
        if url not in configured:
            lines.append(f"{url} (live, not configured)")
        elif url in active:
            lines.append(f"{url} (live)")
        else:
            lines.append(f"{url} ({'not live' if running else 'from the next start on'})")
    return lines


def _field(label: str, values: Sequence[str], width: int | None) -> list[str]:
    """Labelled lines, the label on the first alone; none when there is no value."""
    lines: list[str] = []
    for value in filter(None, values):
        lead = "" if lines else f"{label}:"
        lines += _indented(f"{lead:>{_LABEL_CELLS}} ", value, width)
    return lines


def _indented(lead: str, text: str, width: int | None) -> list[str]:
    """The text after its lead, later lines aligned with the first."""
    room = None if width is None else max(width - len(lead), 1)
    first, *others = wrapped(harmless(text), room)
    return [lead + first, *(" " * len(lead) + line for line in others)]


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
