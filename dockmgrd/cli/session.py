# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of a command: calls the service, follows the job, prints the answer."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from dockmgrd import names
from dockmgrd.cli import findings, permissions, planned, render
from dockmgrd.cli.agent import text_agent
from dockmgrd.cli.arguments import Invocation
from dockmgrd.cli.client import Client, connection
from dockmgrd.cli.follow import Follower
from dockmgrd.cli.jobs import JobRecord, find
from dockmgrd.cli.output import answer_width, print_json
from dockmgrd.cli.progress import progress_on
from dockmgrd.cli.watch import DaemonWatch
from dockmgrd.errors import (
    Cancelled,
    ContainersRunning,
    MirrorUnreachable,
    NoReply,
    NotCancellable,
)
from dockmgrd.model import JobState, Kind

_VERBS = {kind.value: kind for kind in Kind}


class Session:
    """What an invocation does. `farewell` is what to tell the user who does not wait for it."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._interactive = invocation.ask_password and sys.stdin.isatty()
        self._progress = progress_on(sys.stderr, quiet=invocation.quiet)
        self._table = findings.LiveTable(sys.stderr, quiet=invocation.quiet)
        self._asking = False
        self.farewell = ""
        self.followed = ""
        """Id of the job whose end is awaited."""
        self.successor: tuple[str, ...] = ()
        """Program that shall take over when the run is over."""

    async def run(self) -> None:
        """Do it.

        :raises DockmgrError: when it is refused, fails, or the job that is followed has failed.
        """
        async with connection() as bus:
            client = Client(bus, interactive=self._interactive)
            if self._invocation.fastest:
                await self._set_fastest(client)
            elif self._invocation.command in _VERBS:
                await self._do(client, _VERBS[self._invocation.command])
            else:
                await {
                    "status": self._status,
                    "mirrors": self._mirrors,
                    "sources": self._sources,
                    "can": self._can,
                    "jobs": self._jobs,
                    "follow": self._follow,
                    "log": self._log,
                    "cancel": self._cancel,
                }[self._invocation.command](client)

    def leave(self) -> None:
        """Put the terminal's line in order when the run ends before its job does."""
        self._progress.end("goes on")
        if self._asking:
            print(file=sys.stderr)  # The agent has left the cursor behind its question.

    async def _status(self, client: Client) -> None:
        answer = await client.status()
        self._answer(answer, lambda width: render.status(answer, width))

    async def _mirrors(self, client: Client) -> None:
        answer = await client.status()
        mirrors = {key: answer.get(f"mirrors-{key}", []) for key in ("configured", "active")}
        self._answer(
            {**mirrors, "drift": answer.get("mirrors-drift", False)},
            lambda width: render.mirrors(answer, width),
        )

    async def _sources(self, client: Client) -> None:
        answer = await client.sources()
        self._answer(answer, lambda width: render.sources(answer, width))

    async def _can(self, client: Client) -> None:
        answer = await client.permissions()
        self._answer(answer, lambda width: permissions.lines(answer, width))

    async def _jobs(self, client: Client) -> None:
        records = await client.jobs()
        self._answer(
            [record.to_json() for record in records], lambda width: render.jobs(records, width)
        )

    async def _follow(self, client: Client) -> None:
        job = find(await client.jobs(), self._invocation.job)
        self._conclude(await self._ended(client, names.job_path(job.job_id)))

    async def _log(self, client: Client) -> None:
        """Have journalctl show what the job's unit logged, and what others logged of the job."""
        job = find(await client.jobs(), self._invocation.job)
        fields = (f"_SYSTEMD_UNIT={names.job_unit(job.job_id)}", f"DOCKMGR_JOB_ID={job.job_id}")
        form = ("--output=json",) if self._invocation.json else ()
        self.successor = ("journalctl", "--quiet", *form, fields[0], "+", fields[1])

    async def _cancel(self, client: Client) -> None:
        job = find(await client.jobs(), self._invocation.job)
        path = names.job_path(job.job_id)
        async with self._agent():
            await client.cancel(path)
        self.farewell = f"job {job.job_id} is being stopped; 'dockmgrctl jobs' shows how it ended."
        ended = await Follower(client, path, lambda _: None).end()
        if ended.state != JobState.CANCELLED.value:
            raise NotCancellable(
                f"Job {job.job_id} ended as {ended.state} before it could be stopped; "
                f"'dockmgrctl follow {job.job_id}' shows its result."
            )
        self._summarise({"job": job.job_id}, [f"Job {job.job_id} is cancelled."])

    async def _do(self, client: Client, kind: Kind) -> None:
        """Have the service start a job, follow it, and tell what it has done."""
        invocation = self._invocation
        if self._asks(kind):
            await self._do_as_agreed(client, kind)
        else:
            self._conclude(await self._run(client, kind, invocation.options, invocation.mirrors))

    def _asks(self, kind: Kind) -> bool:
        """Whether somebody is there to look at the plan first, and has not said otherwise."""
        invocation = self._invocation
        decided = invocation.yes or invocation.options.keys() & {"plan", "dry-run"}
        talks = sys.stdin.isatty() and sys.stdout.isatty() and not invocation.json
        return kind in (Kind.INSTALL, Kind.UNINSTALL) and talks and not decided

    async def _do_as_agreed(self, client: Client, kind: Kind) -> None:
        """Show the plan, ask, and have exactly that done; a plan that changes is shown again.

        :raises Cancelled: when the user does not agree.
        """
        options = self._invocation.options
        job = await self._run(client, kind, {**options, "dry-run": True}, ())
        while True:
            plan = job.result
            if not (job.done or plan.get("plan-changed")):
                raise job.error()
            if not plan.get("changed", True):
                return self._conclude(job)
            print("\n".join(planned.lines(plan, answer_width())))
            if plan.get("refusal"):
                raise ContainersRunning(plan["refusal"])
            self.farewell = "nothing was done."
            if not await planned.confirmed("Do this?"):
                raise Cancelled("Nothing was done, as you did not agree.")
            job = await self._run(client, kind, {**options, "plan": plan["digest"]}, ())
            if not job.result.get("plan-changed"):
                return self._conclude(job)

    async def _set_fastest(self, client: Client) -> None:
        """Set the best of the mirrors that were named, or of the candidates.

        :raises MirrorUnreachable: when none of them works.
        """
        probed = await self._run(client, Kind.PROBE, {}, self._invocation.mirrors)
        if not probed.done:
            raise probed.error()
        best = findings.best(probed.result)
        if not best:
            raise MirrorUnreachable(
                "None of the mirrors works, so nothing was changed; 'dockmgrctl probe' shows why, "
                "and 'dockmgrctl set-mirror URL' sets one all the same."
            )
        options = self._invocation.options
        self._conclude(await self._run(client, Kind.SET_MIRROR, options, (best,)))

    async def _run(
        self, client: Client, kind: Kind, options: Mapping[str, Any], mirrors: tuple[str, ...]
    ) -> JobRecord:
        """The job that the service does, when it has ended."""
        self.farewell = "interrupted; 'dockmgrctl jobs' shows whether the job has started."
        called_at = time.time_ns() // 1000
        async with self._agent():
            try:
                path = await client.start(kind, options, mirrors)
            except NoReply:
                path = await _started_unheard(client, kind, called_at)
        return await self._ended(client, path)

    @asynccontextmanager
    async def _agent(self) -> AsyncIterator[None]:
        """Where a call is authorised: the user may be asked for a password meanwhile."""
        async with text_agent(wanted=self._interactive) as running:
            self._asking = running
            yield
            self._asking = False  # Not when it was left by an exception: `leave` wants to know.

    async def _ended(self, client: Client, path: str) -> JobRecord:
        """The job when it has ended, its progress shown on the way."""
        self.followed = job_id = path[len(names.JOB_PATH_PREFIX) :]
        self.farewell = (
            f"job {job_id} goes on; 'dockmgrctl follow {job_id}' shows it, "
            f"'dockmgrctl cancel {job_id}' stops it."
        )

        def moved(job: JobRecord) -> None:
            if not self._table.shows(job):
                self._progress.show(job.stage, job.progress, job.message)

        job = await Follower(client, path, moved).end()
        self._progress.end(job.state)
        self._table.clear()
        return job

    def _conclude(self, job: JobRecord) -> None:
        """Print what the job has done.

        :raises DockmgrError: the error with which it ended instead.
        """
        if not job.done:
            raise job.error()
        self._summarise(job.result, render.summary(job, answer_width()))

    def _summarise(self, result: Mapping[str, Any], lines: list[str]) -> None:
        if self._invocation.json or not self._invocation.quiet:
            self._answer(dict(result), lambda _: lines)

    def _answer(self, data: Any, lines: Callable[[int | None], list[str]]) -> None:
        """Print the answer in the form that was asked for."""
        if self._invocation.json:
            print_json(data)
        else:
            print("\n".join(lines(answer_width())))


async def _started_unheard(client: Client, kind: Kind, since: int) -> str:
    """Path of the job that a call started whose reply was lost with the daemon.

    :raises NoReply: when there is none: nothing was begun.
    """
    watch = DaemonWatch(client.bus, lambda: None)
    await watch.start()
    try:
        records = await watch.ask(client.jobs)
    finally:
        watch.stop()
    for job in records:
        mine = job.kind == kind.value and job.initiator_uid == os.getuid()
        if mine and job.created_at >= since:
            return names.job_path(job.job_id)
    raise NoReply("dockmgrd went away before it had started the job; give the command again.")
