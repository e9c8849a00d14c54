# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a job: its start is authorised, its progress shown, its end awaited."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dockmgrd import names
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.service.agent import text_agent
from dockmgrd.cli.service.client import Client
from dockmgrd.cli.service.follow import DaemonWatch, Follower
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.waiting import heeding
from dockmgrd.errors import NoReply
from dockmgrd.model import Kind

if TYPE_CHECKING:
    from dockmgrd.cli.view.progress import Progress


class Running:
    """The jobs of an invocation, one after the other.

    `farewell` is what to tell the user who does not wait, `followed` the id of the job whose end is
    awaited.
    """

    def __init__(self, invocation: Invocation) -> None:
        self.interactive = invocation.ask_password and sys.stdin.isatty()
        self._quiet = invocation.quiet
        self._as_json = bool(invocation.json)
        self._progress: Progress | None = None
        self._asking = False
        self.farewell = ""
        self.followed = ""

    def leave(self) -> None:
        """Put the terminal's line in order when the run ends before its job does."""
        if self._progress is not None:
            self._progress.end("goes on")
        if self._asking:
            print(file=sys.stderr)  # The agent has left the cursor behind its question.

    def declined(self) -> None:
        """Nothing goes on if the user leaves now: there is only a plan."""
        self.farewell = "nothing was done."

    def run(
        self, client: Client, kind: Kind, options: Mapping[str, Any], mirrors: tuple[str, ...]
    ) -> JobRecord:
        """The job that the service does, when it has ended."""
        self.farewell = "interrupted; 'dockmgrctl jobs' shows whether the job has started."
        called_at = time.time_ns() // 1000
        with self.agent():
            try:
                path = client.start(kind, options, mirrors)
            except NoReply:
                path = _started_unheard(client, kind, called_at)
        return self.ended(client, path)

    @contextmanager
    def agent(self) -> Iterator[None]:
        """Where a call is authorised: the user may be asked for a password meanwhile."""
        with text_agent(wanted=self.interactive) as running:
            self._asking = running
            yield
            self._asking = False  # Not when it was left by an exception: `leave` wants to know.

    def ended(self, client: Client, path: str) -> JobRecord:
        """The job when it has ended, its progress shown on the way."""
        self.followed = job_id = path[len(names.JOB_PATH_PREFIX) :]
        self.farewell = (
            f"job {job_id} goes on; 'dockmgrctl follow {job_id}' shows it, "
            f"'dockmgrctl cancel {job_id}' stops it."
        )

        # While the job works there is time to load what shows it, and its result in the end.
        import_module("dockmgrd.cli.view.answers")
        from dockmgrd.cli.view.probe import LiveTable
        from dockmgrd.cli.view.progress import progress_on

        self._progress = progress = progress_on(
            sys.stderr, quiet=self._quiet, as_json=self._as_json
        )
        table = LiveTable(sys.stderr, quiet=self._quiet or self._as_json)

        def moved(job: JobRecord) -> None:
            if not table.shows(job):
                progress.moved(job)

        with heeding(signal.SIGWINCH, progress.redraw):
            job = Follower(client, path, moved).end()
        progress.end(job.state)
        table.clear()
        return job


def _started_unheard(client: Client, kind: Kind, since: int) -> str:
    """Path of the job that a call started whose reply was lost with the daemon.

    :raises NoReply: when there is none: nothing was begun.
    """
    for job in DaemonWatch(client.bus, lambda: None).ask(client.jobs):
        mine = job.kind == kind.value and job.initiator_uid == os.getuid()
        if mine and job.created_at >= since:
            return names.job_path(job.job_id)
    raise NoReply("dockmgrd went away before it had started the job; give the command again.")
