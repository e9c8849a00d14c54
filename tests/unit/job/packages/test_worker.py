# SPDX-License-Identifier: LGPL-2.1-or-later
"""The conversation of a job with the package worker, with scripted workers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from dockmgrd.enums import Kind, Stage
from dockmgrd.errors import (
    DockmgrError,
    Internal,
    ResolutionFailed,
    ServiceFailed,
    SourceUnreachable,
)
from dockmgrd.errors import TransactionFailed as Failed
from dockmgrd.job import workers
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import worker as packages
from dockmgrd.job.packages.worker import Span
from dockmgrd.messages.text import Text
from dockmgrd.model import NO_NUMBERS, JobRequest, Numbers
from dockmgrd.worker.protocol import (
    PROCEED,
    ListPackages,
    Outcome,
    RemovePackages,
    WritingEvent,
    decode_event,
    encode,
)

REQUEST = RemovePackages(names=("docker-ce",), allow_removals=False)

# What every worker can use. Its script decides what it does.
PROLOGUE = """
import os, sys, time
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.protocol import Outcome, ProgressEvent
from dockmgrd.messages.text import Text, foreign_text
from dockmgrd.model import NO_NUMBERS, Numbers, Stage
channel = Channel.take_over()
request = channel.receive()
"""

Worker = Callable[[str], None]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Sets the script that a worker runs."""
    monkeypatch.setenv("PYTHONPATH", str(Path(packages.__file__).parents[3]))

    def put(script: str) -> None:
        monkeypatch.setattr(workers, "_COMMAND", (sys.executable, "-c", PROLOGUE + script))

    return put


class Context(JobContext):
    """A context that records the reports."""

    def __init__(self) -> None:
        nobody = cast("Any", None)
        request = JobRequest("id", Kind.UNINSTALL, {}, 0, 0)
        super().__init__(request, nobody, nobody)
        self.reports: list[tuple[Stage, float, bool]] = []
        self.numbers: list[Numbers] = []
        self.stages: asyncio.Queue[Stage] = asyncio.Queue()

    def report(
        self,
        stage: Stage,
        fraction: float,
        message: Text | str = "",
        numbers: Numbers = NO_NUMBERS,
    ) -> None:
        super().report(stage, fraction, message, numbers)
        self.reports.append((stage, self._progress.fraction, self._progress.cancellable))
        self.numbers.append(numbers)
        self.stages.put_nowait(stage)


Step = Callable[[], Awaitable[None]]


async def run(context: Context, before_commit: Step | None = None) -> Outcome:
    """The whole conversation, with a step of the job's own before rpm writes."""
    async with packages.transaction(context, REQUEST, Span(0.2, 0.7)) as transaction:
        while not await transaction.prepare():
            pass
        if before_commit is not None:
            await before_commit()
        return await transaction.commit()


async def cancelled_when(context: Context, stage: Stage) -> None:
    """Run, and cancel as soon as the worker is at that stage."""
    task = asyncio.ensure_future(run(context))
    context.run_in(task)
    while await context.stages.get() is not stage:
        pass
    context.cancel()
    await task


async def test_the_events_become_progress_of_the_job(worker: Worker) -> None:
    worker("""
assert request.names == ("docker-ce",), request
print("what a scriptlet prints")
channel.progress(Stage.RESOLVING, 0.0)
with channel.writing():
    for step in range(11):
        channel.progress(Stage.REMOVING, step / 10, "docker-ce", Numbers(item=step, items=10))
channel.finish(Outcome(changed=True, removed=("docker-ce",), notes=(foreign_text("a note"),)))
""")
    context = Context()
    outcome = await run(context)
    assert outcome.changed
    assert outcome.removed == ("docker-ce",)
    assert list(map(str, context.notes)) == ["a note"]
    fractions = [fraction for _, fraction, _ in context.reports]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0.2
    assert fractions[-1] == pytest.approx(0.7)
    assert {report[2] for report in context.reports if report[0] is Stage.RESOLVING} == {True}
    assert {report[2] for report in context.reports if report[0] is Stage.REMOVING} == {False}
    assert context.numbers[-1] == Numbers(item=10, items=10)


async def test_a_typed_error_arrives_as_it_was_sent(worker: Worker) -> None:
    worker("""
from dockmgrd.errors import SourceUnreachable
from dockmgrd.messages.text import Template
failed, remedy = Template("failed", "No way to {url}."), Template("remedy", "Try again.")
text = failed(url="{x}").with_remedy(remedy(), "dnf check")
channel.finish(Outcome(error_name=SourceUnreachable.dbus_name, error=text))
""")
    with pytest.raises(SourceUnreachable, match=r"^No way to {x}\. Try again\.$") as caught:
        await run(Context())
    assert caught.value.to_plain() == {
        "name": SourceUnreachable.dbus_name,
        "id": "failed",
        "text": "No way to {x}. Try again.",
        "args": {"url": "{x}"},
        "remedy": {"id": "remedy", "text": "Try again.", "args": {}, "command": "dnf check"},
    }


async def test_missing_packages_of_the_source_are_named(worker: Worker) -> None:
    worker("""
from dockmgrd.errors import ResolutionFailed
channel.finish(Outcome(error_name=ResolutionFailed.dbus_name, error=foreign_text("No way."),
                       missing=("containerd.io",)))
""")
    with pytest.raises(ResolutionFailed) as caught:
        await run(Context())
    assert caught.value.details == {"missing": ["containerd.io"]}


async def test_a_very_long_line(worker: Worker) -> None:
    worker("channel.finish(Outcome(removed=tuple(f'package-{n}' for n in range(100_000))))")
    assert len((await run(Context())).removed) == 100_000


@pytest.mark.parametrize("agreed", [True, False])
async def test_a_resolved_transaction_runs_only_if_the_job_agrees(
    worker: Worker, tmp_path: Path, agreed: bool
) -> None:
    worker(f"""
from dockmgrd.worker.protocol import Change
reason = foreign_text("why not")
channel.ask_consent([Change("remove", "docker-ce-3:1-1.el9.x86_64", reason=reason)])
open({str(tmp_path / "done")!r}, "w")
channel.finish(Outcome(changed=True))
""")
    async with packages.transaction(Context(), REQUEST, Span(0.2, 0.7)) as transaction:
        changes = await transaction.resolve()
        assert changes == await transaction.resolve(), "asking again is no consent"
        if agreed:
            assert await transaction.prepare()
            assert (await transaction.commit()).changed
    assert [(each.action, str(each.reason)) for each in changes] == [("remove", "why not")]
    assert (tmp_path / "done").exists() is agreed


async def test_a_worker_that_resolves_again_asks_again(worker: Worker) -> None:
    """As it does when another process has worked with packages in between."""
    worker("""
from dockmgrd.worker.protocol import Change
for package in ("runc-4:1-1.x86_64", "crun-0:1-1.x86_64"):
    channel.ask_consent([Change("remove", package)])
with channel.writing():
    pass
channel.finish(Outcome(changed=True))
""")
    packages_seen = []
    async with packages.transaction(Context(), REQUEST, Span(0.2, 0.7)) as transaction:
        ready = False
        while not ready:
            packages_seen += [each.package for each in await transaction.resolve()]
            ready = await transaction.prepare()
        assert (await transaction.commit()).changed
    assert packages_seen == ["runc-4:1-1.x86_64", "crun-0:1-1.x86_64"]


@pytest.mark.parametrize("steps", [1, 2])
async def test_a_failure_in_the_conversation_ends_the_worker(
    worker: Worker, tmp_path: Path, steps: int
) -> None:
    """It may put away what it has laid out, and writes nothing."""
    worker(f"""
import atexit
atexit.register(lambda: open({str(tmp_path / "tidy")!r}, "w"))
channel.ask_consent([])
with channel.writing():
    open({str(tmp_path / "written")!r}, "w")
channel.finish(Outcome(changed=True))
""")

    async def converse() -> None:
        async with packages.transaction(Context(), REQUEST, Span(0.2, 0.7)) as transaction:
            await transaction.resolve()
            if steps > 1:
                assert await transaction.prepare()
            raise ServiceFailed("It does not stop.")

    with pytest.raises(ServiceFailed, match="does not stop"):
        await converse()
    assert (tmp_path / "tidy").exists()
    assert not (tmp_path / "written").exists()


async def test_a_worker_with_nothing_to_do(worker: Worker) -> None:
    worker("channel.finish(Outcome(notes=(foreign_text('a note'),)))")
    context = Context()
    async with packages.transaction(context, REQUEST, Span(0.2, 0.7)) as transaction:
        assert await transaction.resolve() == ()
        assert await transaction.prepare()
        assert not (await transaction.commit()).changed
    assert list(map(str, context.notes)) == ["a note"]


async def test_an_event_out_of_turn(worker: Worker) -> None:
    worker("channel.ask_consent([])")
    with pytest.raises(Internal, match="out of turn: resolved"):
        async with packages.transaction(Context(), REQUEST, Span(0.2, 0.7)) as transaction:
            await transaction.outcome()


async def test_a_fault_of_the_source_is_distinguished(worker: Worker) -> None:
    worker("""
from dockmgrd.errors import SourceUnreachable
name = SourceUnreachable.dbus_name
channel.finish(Outcome(error_name=name, error=foreign_text("x"), another_source_may_help=True))
""")
    with pytest.raises(packages.SourceFault) as caught:
        await run(Context())
    assert isinstance(caught.value.error, SourceUnreachable)


async def test_steps_before_writing(worker: Worker) -> None:
    worker("""
with channel.writing():
    pass
channel.finish(Outcome(changed=True))
""")
    context = Context()
    held: list[bool] = []

    async def before() -> None:
        held.append(context._held)

    assert (await run(context, before)).changed
    assert held == [True]


async def test_nothing_is_written_when_that_fails(worker: Worker, tmp_path: Path) -> None:
    worker(f"""
with channel.writing():
    open({str(tmp_path / "written")!r}, "w")
channel.finish(Outcome(changed=True))
""")

    async def before() -> None:
        raise ServiceFailed("It does not stop.")

    with pytest.raises(ServiceFailed, match="does not stop"):
        await run(Context(), before)
    assert not (tmp_path / "written").exists()


async def test_cancelling_kills_a_worker_that_does_not_write(worker: Worker) -> None:
    worker("""
channel.progress(Stage.DOWNLOADING, os.getpid())
print("a worker that ignores what it may", file=sys.stderr)
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
channel.progress(Stage.CHECKING, 0.0)
time.sleep(600)
""")
    with pytest.raises(asyncio.CancelledError):
        await cancelled_when(Context(), Stage.CHECKING)
    assert children() == ""


async def test_a_wish_to_cancel_waits_for_rpm(worker: Worker) -> None:
    worker("""
with channel.writing():
    channel.progress(Stage.REMOVING, 0.5)
    time.sleep(0.3)
channel.finish(Outcome(changed=True))
""")
    await cancelled_when(Context(), Stage.REMOVING)


async def test_a_wish_to_cancel_that_comes_first_wins(worker: Worker, tmp_path: Path) -> None:
    """The worker says that it will write, and the job is being cancelled already."""
    worker(f"""
with channel.writing():
    open({str(tmp_path / "written")!r}, "w")
""")
    context = Context()
    context.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run(context)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("script", "error", "text"),
    [
        ("os.kill(os.getpid(), 9)", Internal, "was killed by SIGKILL before"),
        ("sys.exit(3)", Internal, "exited with status 3 before"),
        ("with channel.writing(): os.kill(os.getpid(), 9)", Failed, "SIGKILL while rpm"),
        ("with channel.writing(): pass\nos._exit(0)", Failed, "exited with status 0 while rpm"),
    ],
)
async def test_a_worker_that_dies(
    worker: Worker, script: str, error: type[DockmgrError], text: str
) -> None:
    worker(script)
    with pytest.raises(error, match=text):
        await run(Context())


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
async def test_another_source_may_help_when_dnf_crashes(worker: Worker, number: int) -> None:
    worker(f"os.kill(os.getpid(), {number:d})")
    request = ListPackages(
        ("docker-ce",), "docker-ce-stable", "/key", "0" * 40, "https://m.example/"
    )
    with pytest.raises(packages.SourceFault) as caught:
        async with packages.transaction(Context(), request, Span(0.2, 0.7)) as transaction:
            await transaction.outcome()
    assert isinstance(caught.value.error, Failed)
    assert "crashed with SIG" in caught.value.error.message


async def test_a_crash_in_a_removal_is_of_no_source(worker: Worker) -> None:
    worker(f"os.kill(os.getpid(), {signal.SIGSEGV:d})")
    with pytest.raises(Failed, match="dnf crashed with SIGSEGV before it changed anything"):
        await run(Context())


async def test_signals_do_not_end_a_worker_that_writes(worker: Worker) -> None:
    worker("""
with channel.writing():
    for number in (1, 2, 15):
        os.kill(os.getpid(), number)
channel.finish(Outcome(changed=True))
""")
    assert (await run(Context())).changed


@pytest.mark.parametrize("agreed", [True, False])
def test_a_worker_outlives_its_job_only_while_it_writes(
    worker: Worker, tmp_path: Path, agreed: bool
) -> None:
    worker(f"""
with channel.writing():
    channel.progress(Stage.REMOVING, 0.5)
    open({str(tmp_path / "written")!r}, "w")
channel.finish(Outcome(changed=True))
""")
    pipe = subprocess.PIPE
    with subprocess.Popen(workers._COMMAND, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(encode(REQUEST))
        process.stdin.flush()
        assert decode_event(process.stdout.readline()) == WritingEvent(writing=True)
        process.stdout.close()
        process.stdin.write(PROCEED if agreed else b"")
        process.stdin.close()
    assert (tmp_path / "written").exists() is agreed


async def test_the_environment_is_clean(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.lan:3128")
    monkeypatch.setenv("NO_PROXY", ".lan")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("TMPDIR", "/nowhere")
    os.umask(0o077)
    worker("""
seen = sorted(f"{name}={value}" for name, value in os.environ.items() if name != "PYTHONPATH")
seen.append(f"umask={os.umask(0):o} cwd={os.getcwd()} stdin={sys.stdin.read()!r}")
channel.finish(Outcome(notes=tuple(map(foreign_text, seen))))
""")
    context = Context()
    await run(context)
    os.umask(0o022)
    assert list(map(str, context.notes)) == [
        "HOME=/root",
        "LANG=C.UTF-8",
        "NO_PROXY=.lan",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE=1",
        "https_proxy=http://proxy.lan:3128",
        "umask=22 cwd=/ stdin=''",
    ]


async def inhibited_for(command: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the lock was held within the context, from a stand-in for systemd-inhibit."""
    monkeypatch.setattr(packages, "_INHIBIT_COMMAND", command)
    monkeypatch.setattr(packages, "_INHIBIT_TIMEOUT", 0.2)
    started = asyncio.get_running_loop().time()
    async with packages.inhibit_shutdown():
        held = children() != ""
    assert children() == ""
    assert asyncio.get_running_loop().time() - started < 20, "nobody waits for logind"
    return held


def children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


@pytest.mark.parametrize(
    ("command", "held"),
    [
        (("cat",), True),
        (("sleep", "60"), False),  # as systemd-inhibit does when logind does not answer
        (("false",), False),
        (("/nowhere/systemd-inhibit",), False),
    ],
)
async def test_the_lock_against_shutdown(
    command: Sequence[str], held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await inhibited_for(command, monkeypatch) is held


def test_names_of_signals() -> None:
    assert packages._name_signal(signal.SIGTERM) == "SIGTERM"
    assert packages._name_signal(250) == "signal 250"


async def test_the_worker_that_was_started_ahead_is_taken_first(worker: Worker) -> None:
    worker("channel.finish(Outcome(notes=(foreign_text(os.environ['HOME']),)))")
    context = Context()
    context.workers.start_ahead()
    ahead = await context.workers.take()
    context.workers.start_ahead()
    assert list(map(str, (await run(context)).notes)) == ["/root"]
    assert list(map(str, context.notes)) == ["/root"]
    ahead.kill()
    await ahead.communicate()


async def test_a_worker_that_nobody_needs_ends_with_its_job(worker: Worker) -> None:
    worker("")
    ours = workers.Workers()
    ours.start_ahead()
    process = await ours._ahead if ours._ahead else None
    await ours.close()
    assert process is not None
    assert process.returncode == -signal.SIGKILL
    await ours.close()


@pytest.mark.parametrize("own", [True, False])
async def test_temporary_files_of_a_worker_are_in_the_folder_of_its_job(
    worker: Worker, tmp_path: Path, own: bool
) -> None:
    worker(
        "from dockmgrd.worker import __main__ as main; import tempfile\n"
        "main._perform = lambda _: Outcome(notes=(foreign_text("
        "tempfile.gettempdir() + str(os.environ.get('DOCKMGRD_TEMPORARY_FOLDER'))),))\n"
        "main.Channel.take_over = lambda: channel\n"
        "main.main()"
    )
    context = Context()
    if own:
        context.temporary_folder = tmp_path
    folder = tmp_path if own else tempfile.gettempdir()
    assert list(map(str, (await run(context)).notes)) == [f"{folder}None"]


def test_a_worker_without_a_request_says_nothing(worker: Worker) -> None:
    worker("channel.finish(Outcome())")
    done = subprocess.run(
        workers._COMMAND, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
