# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of a command on other hosts, several at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from dockmgrd.cli import consent
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.commands.exitcodes import format_error, get_error_name
from dockmgrd.cli.hosts import remote
from dockmgrd.cli.hosts.ssh import Answer
from dockmgrd.cli.hosts.view import FleetView, report_answers
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import answers
from dockmgrd.cli.view.plan import confirm_plan
from dockmgrd.cli.view.terminal import print_json
from dockmgrd.cli.view.terminal import report as report_message
from dockmgrd.cli.waiting import Stopped, get_signal_source
from dockmgrd.errors import InvalidArgs
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import NOTHING, Text
from dockmgrd.model import JobState

_AT_ONCE = 8

T = TypeVar("T")


class Fleet:
    """What an invocation does on its hosts. The exit code is the greatest of theirs."""

    successor: tuple[str, ...] = ()
    job_id = ""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._hosts = invocation.hosts
        self._batch = len(self._hosts) > 1 or not invocation.ask_password
        self._view = FleetView(invocation)
        self.interrupt_message: Text = NOTHING

    def leave(self) -> None:
        self._view.end()

    def run(self) -> int:
        """Do it, and return the exit code.

        :raises InvalidArgs: when the command is not one for several hosts.
        """
        self._check()
        if self._invocation.kind is not None or self._invocation.command == "follow":
            self.interrupt_message = messages.HOSTS_KEEP_RUNNING()
        if self._invocation.command == "log":
            return _complete_record(self._log())
        if consent.asks_first(self._invocation):
            return self._conclude(confirm_plan(self._run_with, self._expect_answer))
        found = _complete_record(self._ask_all())
        self._view.end()
        if self._invocation.json:
            documents = {each.host: _document(each) for each in found}
            print_json(documents, self._invocation.json)
        elif len(found) == 1:
            self._show(found[0])
        else:
            report_answers(self._invocation, found)
        return max(each.code for each in found)

    def _check(self) -> None:
        command = self._invocation.command
        if len(self._hosts) == 1:
            return
        if command == "log":
            raise InvalidArgs(messages.LOG_OF_ONE_HOST().with_remedy(messages.GIVE_ONE_HOST()))
        if consent.may_ask(self._invocation):
            text = messages.NO_PLAN_FOR_HOSTS(command=command)
            raise InvalidArgs(text.with_remedy(messages.YES_OR_DRY_RUN()))

    async def _ask_all(self) -> list[Answer]:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(host: str) -> Answer:
            async with slots:
                return await self._ask(host)

        return await asyncio.gather(*map(ask, self._hosts))

    async def _ask(self, host: str, more: Sequence[str] = ()) -> Answer:
        command, *others = self._invocation.words
        quiet = ("--quiet",) if self._invocation.quiet else ()
        answer = await remote.ask(
            host,
            (*quiet, command, *more, *others),
            batch=self._batch,
            on_progress=lambda job: self._view.update(host, job),
        )
        self._view.count_answer(answer)
        return answer

    async def _log(self) -> int:
        wanted = self._invocation
        form = (f"--json={wanted.json}",) if wanted.json else ()
        paged = wanted.pager and sys.stdout.isatty() and sys.stdin.isatty()
        words = (*form, *(() if paged else ("--no-pager",)), *wanted.words)
        answer = await remote.pass_through(self._hosts[0], words, batch=self._batch, terminal=paged)
        if answer.error is not None and not wanted.json:
            report_message(answer.error.text)
        return answer.code

    def _run_with(self, options: Mapping[str, Any]) -> JobRecord:
        """The job that the only host does with these options, as `confirm_plan` needs it."""
        more = [
            f"--{key}" if value is True else f"--{key}={value}" for key, value in options.items()
        ]
        answer = _complete_record(self._ask(self._hosts[0], more))
        self._view.end()
        failed = answer.error is not None
        return JobRecord.from_properties(
            {
                "Kind": self._invocation.command,
                "State": (JobState.FAILED if failed else JobState.DONE).value,
                "Result": answer.error.details if answer.error else answer.data,
                "ErrorName": get_error_name(answer.error) if answer.error else "",
                "ErrorMessage": answer.error.message if answer.error else "",
                "ErrorDetails": answer.error.to_plain() if answer.error else {},
            }
        )

    def _expect_answer(self) -> None:
        self.interrupt_message = messages.NOTHING_WAS_DONE()

    def _conclude(self, job: JobRecord) -> int:
        if not job.is_done:
            raise job.make_error()
        answers.print_answer(self._invocation, dict(job.result))
        return 0

    def _show(self, answer: Answer) -> None:
        """Print the answer of the only host as if it were this one's."""
        if answer.data is not None and (answer.error is None or answer.code):
            answers.print_answer(self._invocation, answer.data, kind=answer.kind)
        if answer.error is not None:
            sys.stdout.flush()
            report_message(answer.error.text)


def _complete_record(work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to, on an event loop for as long as it takes.

    :raises Stopped: when the command gets a signal to stop; the work is canceled first.
    """
    descriptor, take = get_signal_source()
    stopped: list[Stopped] = []

    async def run_on_hosts() -> T:
        task = asyncio.ensure_future(work)

        def on_signal() -> None:
            try:
                take()
            except Stopped as received:
                stopped.append(received)
                task.cancel()

        asyncio.get_running_loop().add_reader(descriptor, on_signal)
        return await task

    try:
        return asyncio.run(run_on_hosts())
    except asyncio.CancelledError:
        raise stopped[0] from None


def _document(answer: Answer) -> Any:
    if answer.data is None and answer.error is not None:
        return format_error(answer.error)
    return answer.data
