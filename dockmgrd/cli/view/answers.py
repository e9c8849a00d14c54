# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers and errors of commands: as JSON, and as lines for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from dockmgrd.cli.commands.all import PROGRAM, find_command
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.commands.exitcodes import format_error
from dockmgrd.cli.i18n.translation import _
from dockmgrd.cli.loading import load
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.terminal import (
    Paint,
    choose_paint,
    get_answer_width,
    print_json,
    report,
)
from dockmgrd.enums import JobState, Kind
from dockmgrd.errors import DockmgrError
from dockmgrd.messages.text import NOTHING, Text

_CHANGES = (Kind.INSTALL, Kind.SET_MIRROR, Kind.UNINSTALL)
_FORMATTERS: Mapping[str, str] = {
    "status": "dockmgrd.cli.view.status:format_status",
    "mirrors": "dockmgrd.cli.view.tables:format_mirrors",
    "sources": "dockmgrd.cli.view.tables:format_sources",
    "permissions": "dockmgrd.cli.view.tables:format_permissions",
    "can": "dockmgrd.cli.view.tables:format_permissions",
    "version": "dockmgrd.cli.view.tables:format_program_versions",
    "jobs": "dockmgrd.cli.view.render:format_jobs",
    "result": "dockmgrd.cli.view.render:format_result",
}
"""What makes lines of each answer; loaded when there is one, after the call has been sent."""
_MAKE_PROXY_HINT = "dockmgrd.cli.view.proxy_hint:make_proxy_hint"
_SHOW_IN_PAGER = "dockmgrd.cli.view.pager:show_lines"


def has_summary(invocation: Invocation) -> bool:
    """Return whether the answer is a summary of what was done, which --quiet leaves out."""
    return invocation.kind in _CHANGES or invocation.command in ("cancel", "follow")


def load_result_formatter() -> None:
    """Load what formats results, while there is time to do so."""
    load(_FORMATTERS["result"])


def print_answer(invocation: Invocation, data: Any, *, kind: str = "", job_id: str = "") -> None:
    """Print the answer in the form that the command line asks for.

    :param kind: of the job whose result it is, if the command does not imply it.
    :param job_id: of that job.
    """
    if invocation.json:
        with_job = {"job": job_id, **data} if job_id and isinstance(data, dict) else data
        print_json(with_job, invocation.json)
    elif not (invocation.quiet and has_summary(invocation)):
        lines = format_answer(
            invocation, data, get_answer_width(), choose_paint(sys.stdout), kind=kind
        )
        command = find_command(invocation.command)
        if invocation.pager and command is not None and command.long:
            load(_SHOW_IN_PAGER)(lines)
        else:
            print("\n".join(lines))


def format_answer(
    invocation: Invocation, data: Any, width: int | None, paint: Paint, *, kind: str = ""
) -> list[str]:
    """Return the answer as lines of at most `width` columns, if that is not None."""
    command = invocation.command
    if command == "cancel":
        return [_("Job {job} is canceled.").format(job=data.get("job"))]
    arguments: tuple[Any, ...] = (data, width)
    if command == "status":
        arguments = (data, width, paint)
    elif command == "jobs":
        arguments = ([JobRecord.from_json(each) for each in data], width)
    elif command not in _FORMATTERS or invocation.probes_sources:
        command = "result"
        arguments = (_make_record(invocation, data, kind), width)
    lines: list[str] = load(_FORMATTERS.get(command, _FORMATTERS["result"]))(*arguments)
    return lines


def print_error(error: DockmgrError, form: str, job_id: str = "", *, program: str = PROGRAM) -> int:
    """Print why there is no answer, and return the exit code.

    :param form: of JSON, in which it is the answer, too; "" for none.
    :param job_id: of the job that ended with the error; "" if none did.
    :param program: the words with which a command for the same host begins.
    """
    if form:
        print_json(format_error(error, job_id), form)
    sys.stdout.flush()
    report(_address_remedy(error.text, program))
    # The shell's proxies are those of this host.
    hint: Text = load(_MAKE_PROXY_HINT)(error) if program == PROGRAM else NOTHING
    if hint:
        report(hint)
    return error.exit_code


def _address_remedy(text: Text, program: str) -> Text:
    """Return the text, whose remedy is a command for the host that the error is about."""
    if text.remedy is None or not text.remedy.command.startswith(f"{PROGRAM} "):
        return text
    command = text.remedy.command
    if not command.startswith(program):
        command = program + command[len(PROGRAM) :]
    return text.with_remedy(text.remedy.text, command)


def _make_record(invocation: Invocation, result: Mapping[str, Any], kind: str) -> JobRecord:
    """Return the job that is done with that result, as far as a summary needs it."""
    properties = {
        "Id": invocation.job,
        "Kind": invocation.kind.value if invocation.kind else kind,
        "State": JobState.DONE.value,
        "Result": result,
    }
    return JobRecord.from_properties(properties)
