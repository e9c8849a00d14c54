# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of a command on this host: calls the service, follows the job, prints the answer.

What makes lines of an answer is imported when there is one, so that the call goes out before.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from dockmgrd import names
from dockmgrd.cli import consent
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.running import Running
from dockmgrd.cli.service.client import Client, connection
from dockmgrd.cli.service.follow import Follower
from dockmgrd.cli.service.jobs import KINDS, JobRecord, find
from dockmgrd.cli.view.terminal import say
from dockmgrd.errors import MirrorUnreachable, NoReply, NotCancellable, ServiceUnknown
from dockmgrd.model import JobState, Kind


class Session:
    """What an invocation does. `farewell` is what to tell the user who does not wait for it."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._running = Running(invocation)
        self.successor: tuple[str, ...] = ()
        """Program that shall take over when the run is over."""

    @property
    def farewell(self) -> str:
        return self._running.farewell

    @property
    def followed(self) -> str:
        """Id of the job whose end is awaited."""
        return self._running.followed

    def leave(self) -> None:
        """Put the terminal's line in order when the run ends before its job does."""
        self._running.leave()

    def run(self) -> int:
        """Do it, and return the exit code of what was answered.

        :raises DockmgrError: when it is refused, fails, or the job that is followed has failed.
        """
        command = self._invocation.command
        if command == "version":
            return self._version()
        with connection() as bus:
            client = Client(bus, interactive=self._running.interactive)
            if self._invocation.fastest:
                return self._set_fastest(client)
            if command in KINDS:
                return self._do(client, KINDS[command])
            {
                "status": self._status,
                "mirrors": self._mirrors,
                "sources": self._sources,
                "can": self._can,
                "jobs": self._jobs,
                "follow": self._follow,
                "log": self._log,
                "cancel": self._cancel,
            }[command](client)
        return 0

    def _version(self) -> int:
        from dockmgrd.cli.view import tables

        daemon, trouble = None, ""
        try:
            with connection() as bus:
                daemon = Client(bus, interactive=False).version()
        except (ServiceUnknown, NoReply) as error:
            trouble = error.message
        self._answer(tables.compare_versions(daemon, trouble))
        return 0

    def _status(self, client: Client) -> None:
        self._answer(client.status())

    def _mirrors(self, client: Client) -> None:
        from dockmgrd.cli.view import render

        self._answer(render.mirrors_of(client.status()))

    def _sources(self, client: Client) -> None:
        self._answer(client.sources())

    def _can(self, client: Client) -> None:
        self._answer(client.permissions())

    def _jobs(self, client: Client) -> None:
        self._answer([record.to_json() for record in client.jobs()])

    def _follow(self, client: Client) -> None:
        job = find(client.jobs(), self._invocation.job)
        self._conclude(self._running.ended(client, names.job_path(job.job_id)))

    def _log(self, client: Client) -> None:
        """Have journalctl show what the job's unit logged, and what others logged of the job."""
        job = find(client.jobs(), self._invocation.job)
        form = {"": (), "pretty": ("--output=json-pretty",)}.get(
            self._invocation.json, ("--output=json",)
        )
        paged = () if self._invocation.pager else ("--no-pager",)
        fields = (f"_SYSTEMD_UNIT={names.job_unit(job.job_id)}", f"DOCKMGR_JOB_ID={job.job_id}")
        self.successor = ("journalctl", "--quiet", *paged, *form, fields[0], "+", fields[1])

    def _cancel(self, client: Client) -> None:
        job = find(client.jobs(), self._invocation.job)
        path = names.job_path(job.job_id)
        with self._running.agent():
            client.cancel(path)
        self._running.farewell = (
            f"job {job.job_id} is being stopped; 'dockmgrctl jobs' shows how it ended."
        )
        ended = Follower(client, path, lambda _: None).end()
        if ended.state != JobState.CANCELLED.value:
            raise NotCancellable(
                f"Job {job.job_id} ended as {ended.state} before it could be stopped; "
                f"'dockmgrctl follow {job.job_id}' shows its result."
            )
        self._answer({"job": job.job_id})

    def _do(self, client: Client, kind: Kind) -> int:
        """Have the service start a job, follow it, and tell what it has done."""
        invocation = self._invocation

        def run(options: Mapping[str, Any]) -> JobRecord:
            mirrors = invocation.mirrors
            return self._running.run(client, kind, {**invocation.options, **options}, mirrors)

        if not consent.asks(invocation):
            return self._conclude(run({}))
        from dockmgrd.cli.view import plan as planned

        job = planned.agreed(run, self._running.declined)
        return self._conclude(job)

    def _set_fastest(self, client: Client) -> int:
        """Set the best of the mirrors that were named, or of the candidates.

        :raises MirrorUnreachable: when none of them works.
        """
        probed = self._running.run(client, Kind.PROBE, {}, self._invocation.mirrors)
        if not probed.done:
            raise probed.error()
        from dockmgrd.cli.view import probe as findings

        best = findings.best(probed.result)
        if not best:
            raise MirrorUnreachable(
                "None of the mirrors works, so nothing was changed; 'dockmgrctl probe' shows why, "
                "and 'dockmgrctl set-mirror URL' sets one all the same."
            )
        options = self._invocation.options
        return self._conclude(self._running.run(client, Kind.SET_MIRROR, options, (best,)))

    def _conclude(self, job: JobRecord) -> int:
        """Print what the job has done, and return the exit code.

        :raises DockmgrError: the error with which it ended instead.
        """
        if not job.done:
            raise job.error()
        self._answer(dict(job.result), kind=job.kind)
        return _judged(job.result) if job.kind == Kind.PROBE.value else 0

    def _answer(self, data: Any, *, kind: str = "") -> None:
        from dockmgrd.cli.view import answers

        answers.give(self._invocation, data, kind=kind)


def _judged(probed: Mapping[str, Any]) -> int:
    """The exit code of a probe; why it is not 0 is said."""
    from dockmgrd.cli.view import probe as findings

    if findings.any_works(probed):
        return 0
    error = MirrorUnreachable(findings.NONE_WORKS)
    sys.stdout.flush()
    say(error.message)
    return error.exit_code
