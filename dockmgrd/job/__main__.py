# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main process of dockmgrd-job@ID.service: does what one request says, and leaves a result."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dockmgrd import audit, errors, journal, options, paths
from dockmgrd.bus import Bus
from dockmgrd.catalog import Catalogue
from dockmgrd.engine import Engine
from dockmgrd.incidents import report_incident
from dockmgrd.job.context import JobContext
from dockmgrd.job.install import install
from dockmgrd.job.set_mirror import set_mirror
from dockmgrd.job.uninstall import uninstall
from dockmgrd.jobstore import JobStore
from dockmgrd.model import JobRequest, JobResult, JobState
from dockmgrd.systemd1 import Systemd


def main(arguments: list[str]) -> int:
    """Run the job with the id given; 0 when a result was left, whatever it says."""
    journal.set_up_logging("dockmgrd-job")
    [job_id] = arguments
    store = JobStore()
    request = store.read_request(job_id)
    if request is None:
        print(f"There is no request for job {job_id}.", file=sys.stderr)
        return errors.InvalidArgs.exit_code
    result = asyncio.run(_result_of(request))
    store.write_result(job_id, result)
    audit.job_ended(request, result)
    return 0


async def _result_of(request: JobRequest) -> JobResult:
    """Do the job; whatever happens becomes a result. The outermost frame of the process."""
    try:
        with _only_job():
            values = await _perform(request)
        return JobResult(JobState.DONE, _now(), values)
    except errors.Cancelled as error:
        return _failure(JobState.CANCELLED, error)
    except errors.DockmgrError as error:
        return _failure(JobState.FAILED, error)
    except Exception as error:  # noqa: BLE001  # the traceback goes to the journal, not the caller
        return _failure(JobState.FAILED, report_incident(error))


async def _perform(request: JobRequest) -> Mapping[str, Any]:
    parsed = options.parse(request.kind, request.options)
    async with Bus() as bus:
        systemd = Systemd(bus)
        await systemd.connect()
        context = JobContext(request, systemd, Engine(), Catalogue.load())
        task = asyncio.ensure_future(_dispatch(context, parsed))
        context.run_in(task)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, context.cancel)
        try:
            values = await task
        except asyncio.CancelledError:
            raise errors.Cancelled(
                f"Job {request.job_id} was cancelled before it changed any package."
            ) from None
    return {**values, "notes": context.notes}


async def _dispatch(context: JobContext, parsed: options.Options) -> Mapping[str, Any]:
    if isinstance(parsed, options.InstallOptions):
        return await install(context, parsed)
    if isinstance(parsed, options.SetMirrorOptions):
        return await set_mirror(context, parsed)
    return await uninstall(context, parsed)


@contextmanager
def _only_job() -> Iterator[None]:
    """Hold the lock that makes this the one job that changes the host, whoever started it.

    :raises Busy: when another holds it.
    """
    descriptor = os.open(paths.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.Busy(
                "Another job is changing this host; 'dockmgrctl jobs' shows which."
            ) from None
        yield
    finally:
        os.close(descriptor)


def _failure(state: JobState, error: errors.DockmgrError) -> JobResult:
    return JobResult(state, _now(), {}, error.dbus_name, error.message)


def _now() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
