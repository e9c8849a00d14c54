# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drives the package worker: a process of its own that a job can kill until rpm writes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from dockmgrd.errors import DockmgrError, Internal, TransactionFailed, from_name
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages.inhibit import inhibited
from dockmgrd.model import Stage
from dockmgrd.worker.protocol import (
    MISSING,
    PROCEED,
    Change,
    Outcome,
    ProgressEvent,
    Request,
    ResolvedEvent,
    decode_event,
    encode,
)

# How much of the worker's time each stage takes, roughly: where it begins, and where it ends.
_PARTS: Mapping[Stage, tuple[float, float]] = {
    Stage.METADATA: (0.0, 0.15),
    Stage.RESOLVING: (0.15, 0.2),
    Stage.DOWNLOADING: (0.2, 0.6),
    Stage.CHECKING: (0.6, 0.65),
    Stage.INSTALLING: (0.65, 1.0),
    Stage.REMOVING: (0.2, 1.0),
}


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


async def run(
    context: JobContext,
    request: Request,
    span: Span,
    *,
    resolved: Callable[[Sequence[Change]], Awaitable[bool]] | None = None,
    before_writing: Callable[[], Awaitable[None]] | None = None,
) -> Outcome:
    """Have the worker do it; its notes go to the job's.

    Cancelling kills the worker, until rpm writes: from there the job is held.

    :param resolved: told what will be done, before anything is; when it says no, that is all, and
        when it raises, too.
    :param before_writing: done when everything is resolved, downloaded and checked, and rpm is
        about to write; when it raises, nothing is written.
    :raises SourceFault: when another source may do better.
    :raises DockmgrError: the worker's own error, or Internal or TransactionFailed when it died.
    """
    async with (
        AsyncExitStack() as held
    ):  # until the worker is gone, so that no wish to cancel slips between
        conversation = _Conversation(context, span, resolved, before_writing, held)
        process = await context.workers.take()
        try:
            outcome = await conversation.hold(process, request)
        except BaseException:
            if process.returncode is None and not conversation.writing:
                process.kill()
            await process.communicate()  # reads on, or a worker that writes would block for ever
            raise
        status = await process.wait()
    if conversation.declined:
        return Outcome()
    if outcome is None:
        raise _death(status, wrote=conversation.wrote)
    if outcome.error_name:
        raise _failure(outcome)
    context.add_notes(outcome.notes)
    return outcome


class _Conversation:
    """What is said with one worker."""

    def __init__(
        self,
        context: JobContext,
        span: Span,
        resolved: Callable[[Sequence[Change]], Awaitable[bool]] | None,
        before_writing: Callable[[], Awaitable[None]] | None,
        held: AsyncExitStack,
    ) -> None:
        self._context = context
        self._span = span
        self._resolved = resolved
        self._before_writing = before_writing
        self._held = held
        self.writing = False
        """True from our consent until the worker says that rpm has ended."""
        self.wrote = False
        self.declined = False

    async def hold(self, process: asyncio.subprocess.Process, request: Request) -> Outcome | None:
        """Send the request, follow the events; None when the worker ends without an outcome."""
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(encode(request))
        outcome = None
        async for line in process.stdout:
            event = decode_event(line)
            if isinstance(event, ProgressEvent):
                self._report(event)
            elif isinstance(event, Outcome):
                outcome = event
            elif isinstance(event, ResolvedEvent):
                await self._consider(event.changes, process.stdin)
            elif event.writing:
                await self._agree(process.stdin)
            else:
                self.writing = False
        return outcome

    async def _consider(self, changes: Sequence[Change], answer: asyncio.StreamWriter) -> None:
        if self._resolved is None or await self._resolved(changes):
            answer.write(PROCEED)
        else:
            self.declined = True
            answer.close()

    async def _agree(self, answer: asyncio.StreamWriter) -> None:
        self._held.enter_context(self._context.held())
        await self._held.enter_async_context(inhibited())
        if self._before_writing is not None:
            await self._before_writing()
        self.writing = self.wrote = True
        answer.write(PROCEED)

    def _report(self, event: ProgressEvent) -> None:
        stage = Stage(event.stage)
        fraction = self._span.at(Span(*_PARTS[stage]).at(event.fraction))
        self._context.report(stage, fraction, event.message)


def _failure(outcome: Outcome) -> Exception:
    error = from_name(outcome.error_name, outcome.error_message)
    if outcome.missing:
        error.details = {MISSING: list(outcome.missing)}
    return SourceFault(error) if outcome.another_source_may_help else error


def _death(status: int, *, wrote: bool) -> DockmgrError:
    how = f"was killed by {_signal_name(-status)}" if status < 0 else f"ended with {status}"
    if wrote:
        return TransactionFailed(
            f"The package worker {how} while rpm was writing; 'dnf check' shows what is left to "
            "mend."
        )
    return Internal(
        f"The package worker {how} before it had done anything; the journal of this job's unit "
        "tells more, try again."
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
