# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of commands: from what --json prints to what people read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from dockmgrd.cli.commands.all import find
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.i18n.translation import told
from dockmgrd.cli.service.jobs import KINDS, JobRecord
from dockmgrd.cli.view import pager, render, tables
from dockmgrd.cli.view import status as glance
from dockmgrd.cli.view.terminal import Paint, answer_width, paint_on, print_json
from dockmgrd.model import JobState, Kind

CHANGES = (Kind.INSTALL.value, Kind.SET_MIRROR.value, Kind.UNINSTALL.value, "cancel", "follow")
"""Commands whose answer is a summary of what was done: --quiet leaves it out."""


def give(invocation: Invocation, data: Any, *, kind: str = "") -> None:
    """Print the answer in the form that was asked for.

    :param kind: of the job whose result it is, where the command does not tell.
    """
    if invocation.json:
        print_json(data, invocation.json)
    elif not (invocation.quiet and invocation.command in CHANGES):
        shown = lines(invocation, data, answer_width(), paint_on(sys.stdout), kind=kind)
        command = find(invocation.command)
        pager.show(shown, paged=invocation.pager and command is not None and command.long)


def lines(
    invocation: Invocation, data: Any, width: int | None, paint: Paint, *, kind: str = ""
) -> list[str]:
    """The answer as lines of at most `width` columns, where that is not None."""
    command = invocation.command
    if command == "status":
        return glance.lines(data, width, paint)
    if command == "mirrors":
        return render.mirrors(data, width)
    if command == "sources":
        return render.sources(data, width)
    if command == "can":
        return tables.format_permissions(data, width)
    if command == "jobs":
        return render.jobs(map(JobRecord.from_json, data), width)
    if command == "version":
        return tables.format_program_versions(data, width)
    if command == "cancel":
        return [told(f"Job {data.get('job')} is cancelled.")]
    return render.summary(_ended(invocation, data, kind), width)


def _ended(invocation: Invocation, result: Mapping[str, Any], kind: str) -> JobRecord:
    """The job that is done with that result, as far as a summary needs it."""
    properties = {
        "Id": invocation.job,
        "Kind": invocation.command if invocation.command in KINDS else kind,
        "State": JobState.DONE.value,
        "Result": result,
    }
    return JobRecord.from_properties(properties)
