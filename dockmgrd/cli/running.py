# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a job: its start is authorized, its progress shown, its end awaited."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dockmgrd import names
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.i18n.translation import _
from dockmgrd.cli.i18n.words import JOB_STATES, translate_word
from dockmgrd.cli.loading import load
from dockmgrd.cli.service.agent import run_text_agent
from dockmgrd.cli.service.client import Client
from dockmgrd.cli.service.follow import DaemonWatch, Follower
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import answers
from dockmgrd.cli.waiting import on_signal
from dockmgrd.enums import Kind
from dockmgrd.errors import NoReply
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import NOTHING

if TYPE_CHECKING:
    from dockmgrd.cli.view.progress import Progress

_CHOOSE_PROGRESS = "dockmgrd.cli.view.progress:choose_progress"
_LIVE_TABLE = "dockmgrd.cli.view.probe:LiveTable"


class JobRunner:
    """Runs the jobs of an invocation, one after the other.

    `interrupt_message` is for the user who does not wait for the end, and `job_id` the id of the
    job that is followed.
    """

    def __init__(self, invocation: Invocation) -> None:
        self._is_remote = bool(invocation.host)
        self._program = invocation.program
        # polkit of another host cannot use an agent on this terminal.
        self.interactive = invocation.ask_password and sys.stdin.isatty() and not self._is_remote
        self._quiet = invocation.quiet
        self._as_json = bool(invocation.json)
        self._progress: Progress | None = None
        self._is_prompting = False
        self.interrupt_message = NOTHING
        self.job_id = ""

    def leave(self) -> None:
        """Put the terminal's line in order if the run ends before its job."""
        if self._progress is not None:
            self._progress.end(_("keeps running"))
        if self._is_prompting:
            print(file=sys.stderr)  # The agent has left the cursor after its question.

    def expect_answer(self) -> None:
        """Note that only a plan has been made, so that an interrupt leaves nothing running."""
        self.interrupt_message = messages.NOTHING_WAS_DONE()

    def run(
        self, client: Client, kind: Kind, options: Mapping[str, Any], mirrors: tuple[str, ...]
    ) -> JobRecord:
        """Start a job, and return it when it has ended."""
        self.job_id = ""  # a plan was another job
        self.interrupt_message = messages.MAYBE_STARTED(program=self._program)
        is_new = self._make_test_for_new_jobs(client)
        with self.run_agent():
            try:
                path = client.start(kind, options, mirrors)
            except NoReply:
                path = _find_started_job(client, kind, is_new)
        return self.follow(client, path)

    def _make_test_for_new_jobs(self, client: Client) -> Callable[[JobRecord], bool]:
        """Return a function that tells the jobs that begin from now on from the others.

        The clock of another host is not ours, so its jobs are listed for that.
        """
        if self._is_remote:
            known = {job.job_id for job in client.list_jobs()}
            return lambda job: job.job_id not in known
        now = time.time_ns() // 1000
        return lambda job: job.created_at >= now

    @contextmanager
    def run_agent(self) -> Iterator[None]:
        """Let polkit prompt the user for a password during the context."""
        with run_text_agent(wanted=self.interactive) as is_running:
            self._is_prompting = is_running
            yield
            self._is_prompting = False  # An exception keeps it for `leave`.

    def follow(self, client: Client, path: str) -> JobRecord:
        """Show the progress of the job, and return it when it has ended."""
        self.job_id = path[len(names.JOB_PATH_PREFIX) :]
        ending = self.job_id.rpartition("_")[2]
        self.interrupt_message = messages.JOB_KEEPS_RUNNING(
            job=self.job_id, ending=ending, program=self._program
        )

        # While the job works there is time to load what shows it, and its result in the end.
        answers.load_result_formatter()
        progress: Progress = load(_CHOOSE_PROGRESS)(
            sys.stderr, quiet=self._quiet, as_json=self._as_json
        )
        self._progress = progress
        table = load(_LIVE_TABLE)(sys.stderr, quiet=self._quiet or self._as_json)

        def show(job: JobRecord) -> None:
            if not table.show(job):
                progress.update(job)

        with on_signal(signal.SIGWINCH, progress.redraw):
            job = Follower(client, path, show).wait()
        progress.end(translate_word(JOB_STATES, job.state))
        table.clear()
        return job


def _find_started_job(client: Client, kind: Kind, is_new: Callable[[JobRecord], bool]) -> str:
    """Return the path of the job that a call has started whose reply was lost with the daemon.

    :param is_new: whether the job began after the call.
    :raises NoReply: if there is none, so that nothing was started.
    """
    uid = client.get_uid()
    for job in DaemonWatch(client.bus, lambda: None).ask(client.list_jobs):
        if job.kind == kind.value and job.initiator_uid == uid and is_new(job):
            return names.job_path(job.job_id)
    raise NoReply(messages.JOB_NOT_STARTED().with_remedy(messages.RUN_AGAIN()))
