# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is seen of several hosts: a line of progress for each, and in the end a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dockmgrd.cli.commands.all import find_command
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.hosts.ssh import Answer
from dockmgrd.cli.i18n.translation import _, translate_message
from dockmgrd.cli.i18n.words import STAGES, translate_word
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import answers, progress
from dockmgrd.cli.view.progress import JsonProgress, PlainProgress, Progress, choose_progress
from dockmgrd.cli.view.status import describe_engine
from dockmgrd.cli.view.terminal import (
    Mark,
    Paint,
    Screen,
    can_redraw,
    can_write,
    choose_paint,
    get_answer_width,
    get_columns,
)
from dockmgrd.cli.view.text import cells, harmless, pad, wrap
from dockmgrd.errors import HostUnreachable

_STAGE_CELLS = 12
_RESULT_CELLS = len("unreachable")
_LEAST_MESSAGE = 20


class FleetView:
    """The progress of an invocation on its hosts, on standard error."""

    def __init__(self, invocation: Invocation) -> None:
        self._hosts = invocation.hosts
        alone = len(self._hosts) == 1
        drawn = can_redraw(sys.stderr) and not (alone or invocation.quiet or invocation.json)
        self._screen = Screen(sys.stderr) if drawn else None
        self._lines = dict.fromkeys(self._hosts, _("waiting"))
        self._answers = 0
        self._each = {each: _progress(invocation, each, alone=alone) for each in self._hosts}
        self._blocks = "█░" if can_write(sys.stderr, "█░") else "#-"

    def update(self, host: str, job: JobRecord) -> None:
        """Show the host's job."""
        if self._screen is None:
            self._each[host].update(job)
        elif job.is_running:
            width = get_columns(sys.stderr) - self._column
            bar = progress.format_bar(width, job.progress, self._blocks)
            stage = pad(harmless(translate_word(STAGES, job.stage)), _STAGE_CELLS)
            self._lines[host] = (
                f"{stage} {bar}  {harmless(translate_message(job.progress_message))}"
            )
            self._draw()

    def count_answer(self, answer: Answer) -> None:
        """The host has answered."""
        self._answers += 1
        if self._screen is None:
            self._each[answer.host].end(_("failed") if answer.error else _("done"))
        else:
            self._lines[answer.host] = result(answer)
            self._draw()

    def end(self) -> None:
        """Nothing more comes: the answer takes the place of what was drawn."""
        if self._screen is not None:
            self._screen.clear()
        for each in self._each.values():
            each.end(_("keeps running"))

    @property
    def _column(self) -> int:
        return max(map(cells, self._hosts)) + 2

    def _draw(self) -> None:
        assert self._screen is not None
        lines = [pad(host, self._column) + text for host, text in self._lines.items()]
        count = _("{count} of {total} hosts have answered").format(
            count=self._answers, total=len(self._hosts)
        )
        self._screen.draw([*lines, count])


def _progress(invocation: Invocation, host: str, *, alone: bool) -> Progress:
    if alone and not invocation.json:
        return choose_progress(sys.stderr, quiet=invocation.quiet)
    if invocation.quiet:
        return Progress()
    return JsonProgress(sys.stderr, host) if invocation.json else PlainProgress(sys.stderr, host)


def result(answer: Answer) -> str:
    """How it went, in a word."""
    if answer.error is None:
        return _("ok")
    return _("unreachable") if isinstance(answer.error, HostUnreachable) else _("failed")


def report_answers(invocation: Invocation, found: Sequence[Answer]) -> None:
    """Print what each host has answered, and at the end how it went on each."""
    width, paint = get_answer_width(), choose_paint(sys.stdout)
    inner = None if width is None else max(width - 2, 1)
    for answer in found:
        for line in _details(invocation, answer, inner, paint):
            print(line)
    column = max(cells(each.host) for each in found)
    for answer in found:
        for line in row(invocation, answer, column, width, paint):
            print(line)


def row(
    invocation: Invocation, answer: Answer, column: int, width: int | None, paint: Paint
) -> list[str]:
    """The host, its result, and the message beside them: that says what to do, so all of it."""
    mark = Mark.BAD if answer.error else Mark.ON
    words = f"{pad(harmless(answer.host), column)}  {pad(result(answer), _RESULT_CELLS)}  "
    head = f"{paint.format_mark(mark)} {words}"
    indent = cells(words) + 2
    message = harmless(_message(invocation, answer))
    if width is None or width - indent >= _LEAST_MESSAGE:
        first, *others = wrap(message, None if width is None else width - indent)
        return [f"{head}{first}".rstrip(), *(" " * indent + each for each in others)]
    below = wrap(message, max(width - 4, 1)) if message else []
    return [head.rstrip(), *(f"    {each}" for each in below)]


def _details(invocation: Invocation, answer: Answer, width: int | None, paint: Paint) -> list[str]:
    if answer.data is None or (invocation.quiet and answers.has_summary(invocation)):
        return []
    lines = answers.format_answer(invocation, answer.data, width, paint, kind=answer.kind)
    if len(lines) == 1 and _message(invocation, answer):
        return []
    title = paint.format_strong(f"{harmless(answer.host)}:")
    return [title, *(f"  {line}" for line in lines), ""]


def _message(invocation: Invocation, answer: Answer) -> str:
    """The answer in a sentence; "" where it is a table."""
    if answer.error is not None:
        return translate_message(answer.error.text)
    if invocation.command == "status":
        return describe_engine(answer.data)[1]
    command = find_command(invocation.command)
    if invocation.command in ("mirrors", "probe", "can", "permissions", "version") or (
        command and command.long
    ):
        return ""
    return answers.format_answer(invocation, answer.data, None, Paint(), kind=answer.kind)[0]
