# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of a job: executes one request and writes its result."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import importlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

from dockmgrd import errors, paths
from dockmgrd.bus.client import Bus
from dockmgrd.enums import JobState, Kind
from dockmgrd.host.engine import Engine
from dockmgrd.host.jobstore import JobStore
from dockmgrd.host.systemd import Systemd
from dockmgrd.job.context import JobContext
from dockmgrd.messages import jobs as messages
from dockmgrd.model import JobRequest, JobResult
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.mirrors import SetMirrorOptions
from dockmgrd.options.parsing import parse_options
from dockmgrd.options.validation import Options
from dockmgrd.sd import journal

_FUNCTIONS: Mapping[Kind, str] = {
    Kind.INSTALL: "dockmgrd.job.packages.install:install",
    Kind.SET_MIRROR: "dockmgrd.job.mirrors.set_mirror:set_mirror",  # those of Docker Hub
    Kind.PROBE: "dockmgrd.job.probe.probe:probe",
    Kind.UNINSTALL: "dockmgrd.job.packages.uninstall:uninstall",
    Kind.LIST_VERSIONS: "dockmgrd.job.packages.versions:list_versions",
    Kind.PROBE_SOURCES: "dockmgrd.job.packages.sources:probe_sources",
}
"""The function that executes each kind of request, by module and name."""
_SET_REGISTRY_MIRRORS = "dockmgrd.job.mirrors.registry_mirrors:set_registry_mirrors"
_CHECK_GRANTED = "dockmgrd.job.granted:check"
_WITH_PACKAGES = (Kind.INSTALL, Kind.UNINSTALL, Kind.LIST_VERSIONS)


def main(job_id: str, request: JobRequest | None) -> int:
    """Run the job; 0 when a result was left, whatever it says.

    :param request: what the job is to do; None where its folder does not say it.
    """
    journal.set_up_logging("dockmgrd-job")
    store = JobStore()
    if store.has_result(job_id) or store.read_result(job_id) is not None:
        return 0  # Started once more, as a daemon may that does not know how the first time went.
    if request is None:
        print(f"There is no request for job {job_id}.", file=sys.stderr)
        return errors.InvalidArgs.exit_code
    result = asyncio.run(_make_result(request))
    store.delete_temporary_folder(job_id)
    store.keep_result(job_id, result)
    journal.record_job_end(request, result)
    return 0


async def _make_result(request: JobRequest) -> JobResult:
    """Execute the request. Whatever happens becomes a result: this is the outermost frame."""
    try:
        with nullcontext() if request.reads_only else _lock_host():
            values = await _perform(request)
        return JobResult(JobState.DONE, _now(), values)
    except asyncio.CancelledError:
        return _failure(
            JobState.CANCELLED,
            errors.Cancelled(messages.JOB_CANCELED(job=request.job_id)),
        )
    except errors.Cancelled as error:
        return _failure(JobState.CANCELLED, error)
    except errors.DockmgrError as error:
        return _failure(JobState.FAILED, error)
    except Exception as error:  # noqa: BLE001  # the traceback goes to the journal, not the caller
        return _failure(JobState.FAILED, journal.report_incident(error))


async def _perform(request: JobRequest) -> Mapping[str, Any]:
    task = asyncio.current_task()
    assert task is not None
    _install_sigterm_handler(task.cancel)
    parsed = parse_options(request.kind, request.options)
    check_permission(request, parsed)
    systemd = Systemd(await _connect(), reconnect=_connect)
    context = JobContext(request, systemd, Engine())
    try:
        async with _preload_worker(context):
            await systemd.connect()
            context.run_in(task)
            _install_sigterm_handler(context.cancel)
            values = await _dispatch(context, parsed)
            context.commit()
    finally:
        systemd.disconnect()
    return {**values, "notes": [note.to_plain() for note in context.notes]}


@asynccontextmanager
async def _preload_worker(context: JobContext) -> AsyncIterator[None]:
    """Start a package worker in advance if the job needs one."""
    if context.request.kind not in _WITH_PACKAGES:
        yield
        return
    store = JobStore()
    context.temporary_folder = store.make_temporary_folder(context.request.job_id)
    context.workers.start_ahead()
    try:
        yield
    finally:
        await context.workers.close()


def _install_sigterm_handler(handler: Callable[[], object]) -> None:
    """Call `handler` for SIGTERM. The unit starts us with the signal blocked, so that a job that is
    canceled while Python starts still writes a result.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


async def _connect() -> Bus:
    bus = Bus()
    await bus.connect()
    return bus


def check_permission(request: JobRequest, parsed: Options) -> None:
    """Check that the caller may still do what the request says.

    :raises AccessDenied: when it needs an authorization that was not granted, or names a source
        that is no longer allowed.
    """
    # The administrator limits root in nothing but package sources.
    if request.caller_uid != 0 or request.kind in _WITH_PACKAGES:
        _load(_CHECK_GRANTED)(request, parsed)


async def _dispatch(context: JobContext, parsed: Options) -> Mapping[str, Any]:
    reference = _FUNCTIONS[context.request.kind]
    if isinstance(parsed, SetMirrorOptions) and parsed.registry != DOCKER_HUB:
        reference = _SET_REGISTRY_MIRRORS
    values: Mapping[str, Any] = await _load(reference)(context, parsed)
    return values


def _load(reference: str) -> Any:
    """Return what "module:name" stands for. A job imports only what it needs: a change of mirrors
    takes little longer than Python takes for the imports.
    """
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


@contextmanager
def _lock_host() -> Iterator[None]:
    """Hold the lock that only one job that changes the host can have.

    :raises Busy: when another job holds it.
    :raises InsufficientSpace, WriteFailed: when it cannot be taken.
    """
    descriptor = _open_lock()
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = messages.ANOTHER_JOB_RUNS().with_remedy(
                messages.WAIT_OR_CANCEL(), "dockmgrctl jobs"
            )
            raise errors.Busy(text) from None
        yield
    finally:
        os.close(descriptor)


def _open_lock() -> int:
    """A descriptor of the lock file. Reading is enough to lock it, also where nothing is writable.

    :raises InsufficientSpace, WriteFailed: when there is none and none can be made.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        try:
            return os.open(paths.LOCK, flags)
        except FileNotFoundError:
            return os.open(paths.LOCK, flags | os.O_CREAT, 0o600)
    except OSError as error:
        text = messages.LOCK_FAILED(path=str(paths.LOCK), reason=error.strerror or str(error))
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = errors.InsufficientSpace if full else errors.WriteFailed
        raise kind(text.with_remedy(messages.MAKE_ROOM(), f"ls -ld {paths.LOCK}")) from error


def _failure(state: JobState, error: errors.DockmgrError) -> JobResult:
    text = error.text.map_values(errors.redact)
    return JobResult(state, _now(), error.details, error.dbus_name, text)


def _now() -> int:
    return time.time_ns() // 1000
