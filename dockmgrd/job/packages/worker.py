# SPDX-License-Identifier: LGPL-2.1-or-later
"""Talks to the package worker: a process of its own that a job can kill until rpm writes."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from dockmgrd import names
from dockmgrd.enums import Stage
from dockmgrd.errors import DockmgrError, Internal, TransactionFailed, from_name
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages.repofile import RepositoryFile
from dockmgrd.messages import packages as messages
from dockmgrd.messages.text import Text
from dockmgrd.timeouts import within
from dockmgrd.worker.protocol import (
    MISSING,
    PROCEED,
    Change,
    Outcome,
    ProgressEvent,
    RemovePackages,
    Request,
    ResolvedEvent,
    WritingEvent,
    decode_event,
    encode,
)

logger = logging.getLogger(__name__)

# How much of the worker's time each stage takes, roughly: where it begins, and where it ends.
_PARTS: Mapping[Stage, tuple[float, float]] = {
    Stage.METADATA: (0.0, 0.15),
    Stage.RESOLVING: (0.15, 0.2),
    Stage.DOWNLOADING: (0.2, 0.6),
    Stage.CHECKING: (0.6, 0.65),
    Stage.INSTALLING: (0.65, 1.0),
    Stage.REMOVING: (0.2, 1.0),
}

# logind hands out its lock as a file descriptor, which our bus connection cannot receive. So
# systemd-inhibit holds it around a `cat`: what `cat` sends back says that the lock is held, and
# `cat` ends with its input.
_INHIBIT_COMMAND = (
    "systemd-inhibit",
    "--what=shutdown:sleep",
    "--mode=block",
    "--who=dockmgrd",
    "--why=Packages of Docker Engine are being written",
    "cat",
)
_INHIBIT_ECHO = b"held\n"
_INHIBIT_TIMEOUT = 5.0


_CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
"""What ends a program that has a fault, in contrast to signals that others send."""


@dataclass(frozen=True)
class Span:
    """The part of the job's progress that a step of it takes: fractions of the whole."""

    start: float
    end: float

    def at(self, fraction: float) -> float:
        return self.start + (self.end - self.start) * fraction


class SourceFault(Exception):
    """What the worker failed with is of our repository alone: another source may do better."""

    def __init__(self, error: DockmgrError) -> None:
        super().__init__(error.message)
        self.error = error


@asynccontextmanager
async def transaction(
    context: JobContext, request: Request, span: Span
) -> AsyncIterator[Transaction]:
    """Have a worker begin the request, and yield the conversation with it.

    Leaving the context before `Transaction.commit` ends the worker, and nothing was changed. The
    job can be canceled until `Transaction.prepare` returns. Then it is held until the context ends.

    :param span: the part of the job's progress that the worker's takes.
    :raises WriteFailed: when what is in the place of our repository file is none.
    """
    RepositoryFile().require_readable()
    # The stack outlives the worker, so that no cancellation comes between rpm and the worker's end.
    async with AsyncExitStack() as held:
        process = await context.workers.take()
        conversation = Transaction(context, process, span, held)
        try:
            conversation.start(request)
            yield conversation
        finally:
            await conversation.end()


class Transaction:
    """One request to a package worker, step by step: resolve, prepare, commit.

    Each step raises SourceFault when another source may do better, or else the worker's own error;
    Internal or TransactionFailed when the worker died. When nothing has to be done, the first step
    has the outcome, and those after it do nothing.
    """

    def __init__(
        self,
        context: JobContext,
        process: asyncio.subprocess.Process,
        span: Span,
        held: AsyncExitStack,
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._context = context
        self._process = process
        self._requests = process.stdin
        self._events = process.stdout
        self._span = span
        self._held = held
        self._event: ResolvedEvent | WritingEvent | Outcome | None = None
        self._outcome: Outcome | None = None
        self._must_answer = False
        """Whether the worker waits for our consent."""
        self._has_source = True  # Whether the request is about packages of a source.
        self._writing = False
        """True from our consent until the worker says that rpm has ended."""
        self._wrote = False
        self.notes: tuple[Text, ...] = ()
        """What a plan should say; `commit` adds it to the job's notes by itself."""

    def start(self, request: Request) -> None:
        """Send the request."""
        self._has_source = not isinstance(request, RemovePackages)
        self._requests.write(encode(request))

    async def resolve(self) -> tuple[Change, ...]:
        """Wait until the worker knows what has to be done; nothing is done yet."""
        if not isinstance(self._event, ResolvedEvent):
            self._event = await self._next_event()
        if isinstance(self._event, ResolvedEvent):
            self.notes = self._event.notes
            return self._event.changes
        return ()

    async def prepare(self) -> bool:
        """Have everything downloaded and checked, up to the moment before rpm writes.

        :returns: False when another process has worked with packages meanwhile, so that the worker
            has resolved again: start again with `resolve`.
        :raises asyncio.CancelledError: when the job is being cancelled.
        """
        self._give_consent()
        self._event = await self._next_event()
        if isinstance(self._event, WritingEvent):
            self._held.enter_context(self._context.hold())
            await self._held.enter_async_context(inhibit_shutdown())
        return not isinstance(self._event, ResolvedEvent)

    async def commit(self) -> Outcome:
        """Have rpm write; the worker's notes go to the job's."""
        self._writing = self._wrote = self._must_answer
        self._give_consent()
        return await self.outcome()

    async def outcome(self) -> Outcome:
        """Wait for the outcome of a request that changes nothing, such as ListPackages."""
        event = await self._next_event()
        if not isinstance(event, Outcome):
            raise Internal(messages.WORKER_OUT_OF_TURN(event=event.event))
        self._context.add_notes(event.notes)
        return event

    async def end(self) -> None:
        """End the worker, but for one that writes: wait for that one."""
        if self._must_answer:
            self._requests.close()  # It takes that for a no.
        elif self._process.returncode is None and self._outcome is None and not self._writing:
            self._process.kill()
        await self._process.communicate()  # Reads on: a worker that sends would block for ever.

    def _give_consent(self) -> None:
        if self._must_answer:
            self._must_answer = False
            self._requests.write(PROCEED)

    async def _next_event(self) -> ResolvedEvent | WritingEvent | Outcome:
        """Follow the progress to the next event that is not progress; the outcome is the last."""
        if self._outcome is not None:
            return self._outcome
        async for line in self._events:
            event = decode_event(line)
            if isinstance(event, ProgressEvent):
                self._report(event)
            elif isinstance(event, Outcome):
                return self._take_outcome(event)
            elif isinstance(event, WritingEvent) and not event.writing:
                self._writing = False
            else:
                self._must_answer = True
                return event
        status = await self._process.wait()
        error = _make_death_error(status, self._context.request.job_id, wrote=self._wrote)
        # It may be the metadata of the source: libdnf5 aborts at some that libdnf only refuses.
        of_source = self._has_source and -status in _CRASHES and not self._wrote
        raise SourceFault(error) if of_source else error

    def _take_outcome(self, outcome: Outcome) -> Outcome:
        self._outcome = outcome
        if outcome.error_name:
            raise _make_error(outcome)
        return outcome

    def _report(self, event: ProgressEvent) -> None:
        stage = event.stage
        fraction = self._span.at(Span(*_PARTS[stage]).at(event.fraction))
        self._context.report(stage, fraction, event.message, event.numbers)


@asynccontextmanager
async def inhibit_shutdown() -> AsyncIterator[None]:
    """Keep the host from shutting down or sleeping within the context.

    Where logind gives no lock, the log says so and the job continues without one.
    """
    process = await _start_inhibitor()
    try:
        yield
    finally:
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.wait()


async def _start_inhibitor() -> asyncio.subprocess.Process | None:
    """The process that holds the lock until its input ends; None when it gets none in time."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*_INHIBIT_COMMAND, stdin=pipe, stdout=pipe)
    except OSError as error:
        logger.info("no lock against shutdown: %s", error)
        return None
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(_INHIBIT_ECHO)
    try:
        await within(process.stdout.readexactly(len(_INHIBIT_ECHO)), _INHIBIT_TIMEOUT)
    except (asyncio.TimeoutError, asyncio.IncompleteReadError):
        logger.info("no lock against shutdown: logind did not give one")
        # It would wait for logind as long as D-Bus calls may take, and the job with it.
        if process.returncode is None:
            process.kill()
        await process.communicate()
        return None
    return process


def _make_error(outcome: Outcome) -> Exception:
    error = from_name(outcome.error_name, outcome.error)
    if outcome.missing:
        error.details = {MISSING: list(outcome.missing)}
    return SourceFault(error) if outcome.another_source_may_help else error


def _make_death_error(status: int, job_id: str, *, wrote: bool) -> DockmgrError:
    command = f"journalctl -u {names.job_unit(job_id)}"
    if -status in _CRASHES and not wrote:
        text = messages.DNF_CRASHED(signal=_name_signal(-status))
        return TransactionFailed(text.with_remedy(messages.READ_WORKER_JOURNAL(), command))
    if wrote:
        text = (
            messages.WORKER_KILLED_WRITING(signal=_name_signal(-status))
            if status < 0
            else messages.WORKER_EXITED_WRITING(status=status)
        )
        return TransactionFailed(text.with_remedy(messages.CHECK_PACKAGES(), "dnf check"))
    text = (
        messages.WORKER_KILLED(signal=_name_signal(-status))
        if status < 0
        else messages.WORKER_EXITED(status=status)
    )
    return Internal(text.with_remedy(messages.READ_WORKER_JOURNAL(), command))


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
