# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of a command on this host: calls the service, follows the job, prints the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from dockmgrd import names
from dockmgrd.bus.blocking import Connection
from dockmgrd.cli import consent
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.loading import load
from dockmgrd.cli.running import JobRunner
from dockmgrd.cli.service.client import Client, open_connection
from dockmgrd.cli.service.follow import Follower
from dockmgrd.cli.service.jobs import JobRecord, find_job, find_running_job
from dockmgrd.cli.view import answers
from dockmgrd.cli.view.terminal import report
from dockmgrd.enums import JobState, Kind
from dockmgrd.errors import (
    HostUnreachable,
    MirrorUnreachable,
    NoReply,
    NotCancellable,
    ServiceUnknown,
    SourceUnreachable,
)
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import Text
from dockmgrd.messages.words import describe_state

_OPEN_REMOTE_CONNECTION = "dockmgrd.cli.service.ssh:open_remote_connection"
_MAKE_SSH_COMMAND = "dockmgrd.cli.service.ssh:make_command"
_JOIN_WORDS = "shlex:join"
_CONFIRM_PLAN = "dockmgrd.cli.view.plan:confirm_plan"
_SELECT_MIRRORS = "dockmgrd.cli.view.tables:select_mirrors"
_COMPARE_VERSIONS = "dockmgrd.cli.view.tables:compare_versions"
_CHOOSE_BEST = "dockmgrd.cli.view.probe:choose_best"
_HAS_USABLE_SOURCE = "dockmgrd.cli.view.probe:has_usable_source"
_HAS_WORKING_MIRROR = "dockmgrd.cli.view.probe:has_working_mirror"


class Session:
    """Runs an invocation. `interrupt_message` is for the user who does not wait for the end."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._runner = JobRunner(invocation)
        self.successor: tuple[str, ...] = ()
        """Program that replaces this process after the run."""

    @property
    def interrupt_message(self) -> Text:
        return self._runner.interrupt_message

    @property
    def job_id(self) -> str:
        """Id of the job that is followed."""
        return self._runner.job_id

    def leave(self) -> None:
        """Put the terminal's line in order if the run ends before its job."""
        self._runner.leave()

    def run(self) -> int:
        """Run the command, and return its exit code.

        :raises DockmgrError: if it is refused, fails, or the job that is followed has failed.
        """
        if self._invocation.command == "version":
            self._show_version()
            return 0
        try:
            with self._open_connection() as bus:
                return self._run_with(self._make_client(bus))
        except HostUnreachable as error:
            if not self.job_id:
                raise self._point_to_jobs(error) from error
            text = messages.JOB_GOES_ON(reason=error.text, job=self.job_id)
            command = f"{self._invocation.program} follow {self.job_id}"
            raise HostUnreachable(text.with_remedy(messages.FOLLOW_AGAIN(), command)) from error

    def _open_connection(self) -> AbstractContextManager[Connection]:
        """Connect to the bus of this host, or of the one that the command is for."""
        host, ask_password = self._invocation.host, self._invocation.ask_password
        if not host:
            return open_connection()
        connection: AbstractContextManager[Connection] = load(_OPEN_REMOTE_CONNECTION)(
            host, ask_password=ask_password
        )
        return connection

    def _make_client(self, bus: Connection) -> Client:
        host, interactive = self._invocation.host, self._runner.interactive
        return Client(bus, interactive=interactive, host=host)

    def _point_to_jobs(self, error: HostUnreachable) -> HostUnreachable:
        """Return the error, with the way to the job if one may have started."""
        if self.interrupt_message.id != messages.MAYBE_STARTED.id:
            return error
        command = f"{self._invocation.program} jobs"
        return HostUnreachable(error.text.with_remedy(messages.MAYBE_STARTED_ON_HOST(), command))

    def _run_with(self, client: Client) -> int:
        if self._invocation.fastest:
            return self._set_fastest(client)
        if self._invocation.kind is not None:
            return self._run_job(client, self._invocation.kind)
        _HANDLERS[self._invocation.command](self, client)
        return 0

    def show_status(self, client: Client) -> None:
        self._print(client.get_status())

    def show_mirrors(self, client: Client) -> None:
        self._print(load(_SELECT_MIRRORS)(client.get_status()))

    def list_sources(self, client: Client) -> None:
        self._print(client.list_sources())

    def show_permissions(self, client: Client) -> None:
        self._print(client.get_permissions())

    def list_jobs(self, client: Client) -> None:
        self._print([record.to_json() for record in client.list_jobs()])

    def follow(self, client: Client) -> None:
        """Follow a job to its end, and print its result."""
        job = find_job(client.list_jobs(), self._invocation.job)
        self._conclude(self._runner.follow(client, names.job_path(job.job_id)))

    def show_log(self, client: Client) -> None:
        """Have journalctl show what the job's unit has logged, and the daemon about the job."""
        job = find_job(client.list_jobs(), self._invocation.job)
        form = {"": (), "pretty": ("--output=json-pretty",)}.get(
            self._invocation.json, ("--output=json",)
        )
        pager = () if self._invocation.pager else ("--no-pager",)
        fields = (f"_SYSTEMD_UNIT={names.job_unit(job.job_id)}", f"DOCKMGR_JOB_ID={job.job_id}")
        options = (*pager, *form, *self._invocation.log_options)
        command = ("journalctl", "--quiet", *options, fields[0], "+", fields[1])
        self.successor = self._make_command(command)

    def _make_command(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command that runs a program on the host."""
        host = self._invocation.host
        if not host:
            return words
        terminal = "-t" if sys.stdin.isatty() and sys.stdout.isatty() else "-T"
        quoted = load(_JOIN_WORDS)(words)
        return tuple(load(_MAKE_SSH_COMMAND)(host, [quoted], terminal))

    def cancel(self, client: Client) -> None:
        """Cancel a job, and wait until it has ended.

        :raises NotCancellable: if it ended otherwise before.
        """
        job = find_running_job(client.list_jobs(), self._invocation.job)
        path = names.job_path(job.job_id)
        with self._runner.run_agent():
            client.cancel(path)
        self._runner.interrupt_message = messages.JOB_IS_BEING_CANCELED(
            job=job.job_id, program=self._invocation.program
        )
        ended = Follower(client, path, lambda _: None).wait()
        if ended.state != JobState.CANCELLED.value:
            text = messages.JOB_ENDED_BEFORE_CANCEL(
                job=job.job_id, state=describe_state(ended.state)
            )
            command = f"{self._invocation.program} follow {job.short_id}"
            raise NotCancellable(text.with_remedy(messages.SEE_JOB_RESULT(), command))
        self._print({"job": job.job_id})

    def _show_version(self) -> None:
        version, problem = None, ""
        try:
            with self._open_connection() as bus:
                version = Client(bus, interactive=False).get_version()
        except (ServiceUnknown, NoReply) as error:
            problem = error.message
        self._print(load(_COMPARE_VERSIONS)(version, problem, self._invocation.host))

    def _run_job(self, client: Client, kind: Kind) -> int:
        """Have the service run a job, follow it, and print its result."""
        invocation = self._invocation

        def run(options: Mapping[str, Any]) -> JobRecord:
            mirrors = invocation.mirrors
            return self._runner.run(client, kind, {**invocation.options, **options}, mirrors)

        if consent.asks_first(invocation):
            return self._conclude(load(_CONFIRM_PLAN)(run, self._runner.expect_answer))
        return self._conclude(run({}))

    def _set_fastest(self, client: Client) -> int:
        """Set the best of the named mirrors, or of the candidates.

        :raises MirrorUnreachable: if none of them works.
        """
        given = self._invocation.options
        registry = {key: given[key] for key in ("registry",) if key in given}
        probed = self._runner.run(client, Kind.PROBE, registry, self._invocation.mirrors)
        if not probed.is_done:
            raise probed.make_error()
        best = load(_CHOOSE_BEST)(probed.result)
        if not best:
            text = messages.NO_MIRROR_WORKS_NOTHING_CHANGED()
            remedy = messages.PROBE_OR_SET_ANYWAY()
            raise MirrorUnreachable(text.with_remedy(remedy, f"{self._invocation.program} probe"))
        options = self._invocation.options
        return self._conclude(self._runner.run(client, Kind.SET_MIRROR, options, (best,)))

    def _conclude(self, job: JobRecord) -> int:
        """Print what the job has done, and return the exit code.

        :raises DockmgrError: the error with which it ended instead.
        """
        if not job.is_done:
            raise job.make_error()
        self._print(dict(job.result), kind=job.kind, job_id=job.job_id)
        if job.kind == Kind.PROBE_SOURCES.value:
            return _judge_sources(job.result)
        if job.kind != Kind.PROBE.value:
            return 0
        return _judge_probe(job.result, self._invocation.program)

    def _print(self, data: Any, *, kind: str = "", job_id: str = "") -> None:
        answers.print_answer(self._invocation, data, kind=kind, job_id=job_id)


_HANDLERS: Mapping[str, Callable[[Session, Client], None]] = {
    "status": Session.show_status,
    "mirrors": Session.show_mirrors,
    "sources": Session.list_sources,
    "permissions": Session.show_permissions,
    "can": Session.show_permissions,
    "jobs": Session.list_jobs,
    "follow": Session.follow,
    "log": Session.show_log,
    "cancel": Session.cancel,
}


def _judge_sources(measured: Mapping[str, Any]) -> int:
    """Return the exit code of measured sources, and report if it is not 0."""
    if load(_HAS_USABLE_SOURCE)(measured):
        return 0
    sys.stdout.flush()
    report(messages.NO_SOURCE_WORKS())
    return SourceUnreachable.exit_code


def _judge_probe(probed: Mapping[str, Any], program: str) -> int:
    """Return the exit code of a probe, and report if it is not 0."""
    if load(_HAS_WORKING_MIRROR)(probed):
        return 0
    text = messages.NO_MIRROR_WORKS().with_remedy(messages.SEE_TABLE_OR_TRY_OTHERS(program=program))
    sys.stdout.flush()
    report(text)
    return MirrorUnreachable.exit_code
