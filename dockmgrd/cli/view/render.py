# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs and their results as lines for people. `width` is None where there is no terminal.

What comes from the service may hold names and texts of other origin (mirrors, packages, messages),
so every value is made harmless on its way into a line.
"""

from __future__ import annotations

import pwd
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockmgrd.cli.i18n.translation import N_, _, translate_message
from dockmgrd.cli.i18n.words import JOB_STATES, translate_word
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.layout import format_field
from dockmgrd.cli.view.plan import format_diff, format_plan
from dockmgrd.cli.view.probe import format_measured_sources, format_probe
from dockmgrd.cli.view.tables import format_versions
from dockmgrd.cli.view.text import cells, format_size, format_table, harmless, wrap
from dockmgrd.enums import Kind
from dockmgrd.names import DOCKER_HUB

DOCKMGRD = "dockmgrd"
"""Who has requested a job that no user did."""
_LISTS = (
    ("installed", N_("Installed")),
    ("upgraded", N_("Upgraded")),
    ("downgraded", N_("Downgraded")),
    ("removed", N_("Removed")),
    ("purged", N_("Deleted")),
)
"""Keys of a result that list what was done, and their labels."""


def format_jobs(records: Iterable[JobRecord], width: int | None) -> list[str]:
    """Return the table that `jobs` prints; plans, which changed nothing, follow in their own."""
    jobs = list(records)
    if not jobs:
        return [_("No jobs yet.")]
    changes = [job for job in jobs if not job.dry_run]
    plans = [job for job in jobs if job.dry_run]
    lines = _format_job_table(changes, width) if changes else []
    if plans:
        lines += [*([""] if changes else []), _("Plans (nothing was changed):")]
        lines += _format_job_table(plans, width)
    return lines


def format_result(job: JobRecord, width: int | None) -> list[str]:
    """Return what a job that is done has done."""
    result = job.result
    if result.get("dry-run") and job.kind != Kind.SET_MIRROR.value:
        return [*format_plan(result, width), *_format_failed_sources(result, width)]
    if "versions" in result:
        return [*format_versions(result, width), *_format_failed_sources(result, width)]
    if "measured" in result:
        lines = format_measured_sources(result, width)
    elif "probed" in result:
        lines = format_probe(result, width)
    else:
        lines = wrap(harmless(_describe_outcome(job)), width)
    lines += format_diff(result)
    actions = list(map(translate_message, result.get("actions", [])))
    lines += format_field(_("Then"), actions, width)
    for key, label in _LISTS:
        lines += format_field(_(label), result.get(key, []), width)
    lines += format_field(_("Mirrors"), result.get("mirrors", []), width)
    for key, label in (("download-bytes", _("Downloaded")), ("freed-bytes", _("Freed"))):
        if result.get(key):
            lines += format_field(label, [format_size(result[key])], width)
    for note in result.get("notes", []):
        lines += format_field(_("Note"), [translate_message(note)], width)
    return [*lines, *_format_failed_sources(result, width)]


def _format_job_table(jobs: Sequence[JobRecord], width: int | None) -> list[str]:
    """Return the table, with the message of each job in lines of its own."""
    rows = [
        (
            job.short_id,
            job.kind,
            translate_word(JOB_STATES, job.state),
            _format_time(job.created_at),
            DOCKMGRD if job.origin else _get_user(job.initiator_uid),
        )
        for job in jobs
    ]
    header, *lines = format_table(
        (_("ID"), _("KIND"), _("STATE"), _("WHEN"), _("USER")), rows, width
    )
    column = max(map(cells, (harmless(row[0]) for row in rows)), default=0)
    indent = " " * (max(column, cells(_("ID"))) + 2)
    room = None if width is None else max(width - len(indent), 1)
    formatted = [header]
    for job, line in zip(jobs, lines):
        message = harmless(translate_message(job.end_message))
        formatted += [line, *(indent + each for each in wrap(message, room) if each)]
    return formatted


def _format_failed_sources(result: Mapping[str, Any], width: int | None) -> list[str]:
    """Return the source that was used, and why those before it were not."""
    reasons = [
        _("{source}: {reason}").format(
            source=each.get("source", ""),
            reason=translate_message(each.get("cause") or str(each.get("message", ""))),
        )
        for each in result.get("tried", [])
    ]
    source = [result.get("source", "")] if reasons else []
    return [
        *format_field(_("Source"), source, width),
        *format_field(_("Not used"), reasons, width),
    ]


def _describe_outcome(job: JobRecord) -> str:
    if not job.result.get("changed", True):
        return _("Nothing to do.")
    if job.result.get("dry-run"):
        return _("Plan:")
    if job.kind == Kind.INSTALL.value:
        version = job.result.get("engine-version", "")
        sentence = _("Docker Engine {version} is installed and running.")
        return sentence.format(version=version) if version else _("Docker Engine is installed.")
    if job.kind == Kind.SET_MIRROR.value:
        return _describe_mirrors(job.result)
    if job.kind == Kind.UNINSTALL.value:
        return _("Docker Engine is removed.")
    return _("Job {job} is done.").format(job=job.job_id)


def _describe_mirrors(result: Mapping[str, Any]) -> str:
    registry, is_set = result.get("registry", DOCKER_HUB), bool(result.get("mirrors"))
    if registry == DOCKER_HUB:
        return _("The registry mirrors are set.") if is_set else _("All mirrors are removed.")
    sentence = (
        _("The mirrors of {registry} are set.")
        if is_set
        else _("All mirrors of {registry} are removed.")
    )
    return sentence.format(registry=registry)


def _format_time(microseconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(microseconds // 1_000_000))
    except (OverflowError, ValueError, OSError):
        return "?"


def _get_user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)
