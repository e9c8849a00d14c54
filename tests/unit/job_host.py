# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host with jobs, and a systemd that the test imitates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from dockmgrd import errors, names
from dockmgrd.codec import encode_record
from dockmgrd.daemon.job_state import Job
from dockmgrd.daemon.jobs import Jobs
from dockmgrd.enums import JobState, Kind, Stage
from dockmgrd.host.jobstore import JobStore
from dockmgrd.host.systemd import Systemd
from dockmgrd.model import JobResult, Progress

DRY = {"dry-run": True}


class FakeSystemd:
    """Starts units, unless it `refuses`, and ends those that the test names."""

    def __init__(self) -> None:
        self.refuses = False
        self.active: set[str] = set()
        self.started: list[str] = []
        self.signals: list[str] = []
        self.on_signal: Callable[[], None] = lambda: None
        self.watchers: dict[str, Callable[[Mapping[str, Any]], None]] = {}

    async def watch_path(
        self, path: str, changed: Callable[[Mapping[str, Any]], None]
    ) -> Callable[[], None]:
        self.watchers[path] = changed
        return lambda: cast("None", self.watchers.pop(path))

    async def start(self, unit: str) -> None:
        if self.refuses:
            raise errors.ServiceFailed("No.")
        self.started.append(unit)
        self.active.add(unit)

    async def signal_main(self, unit: str, number: int) -> None:
        self.signals.append(unit)
        self.on_signal()

    async def get_active_state(self, unit: str) -> str:
        return "active" if unit in self.active else "inactive"

    async def get_status_text(self, unit: str) -> str:
        return json.dumps(encode_record(Progress(Stage.RESOLVING, 0.2)))

    def tell(self, job: Job, stage: Stage, fraction: float, *, cancellable: bool = True) -> None:
        progress = Progress(stage, fraction, cancellable=cancellable)
        status = json.dumps(encode_record(progress))
        self.watchers[names.unit_path(names.job_unit(job.job_id))]({"StatusText": status})

    def end(self, job: Job) -> None:
        unit = names.job_unit(job.job_id)
        self.active.discard(unit)
        self.watchers[names.unit_path(unit)]({"ActiveState": "inactive"})


class Host:
    """A host with a folder of jobs, on which daemons start and stop."""

    def __init__(self, folder: Path) -> None:
        self.store = JobStore(folder / "jobs", folder / "spare")
        self.systemd = FakeSystemd()
        self.changes: list[tuple[str, str, float]] = []
        self.forgotten: list[str] = []

    def daemon(self) -> Jobs:
        return Jobs(
            cast("Systemd", self.systemd),
            self.store,
            lambda job: self.changes.append((job.job_id, job.state.value, job.progress.fraction)),
            lambda job: self.forgotten.append(job.job_id),
        )

    def finish(self, job: Job, state: JobState = JobState.DONE, *, changed: bool = True) -> None:
        """The job writes its result, and its unit ends."""
        self.store.write_result(job.job_id, JobResult(state, 7, {"changed": changed}))
        self.systemd.end(job)


async def read(jobs: Jobs, number: object, uid: int, *, authorized: bool = False) -> Job:
    options = {"source": f"{number}"}
    return await jobs.submit(Kind.LIST_VERSIONS, options, uid, authorized=authorized)


async def settle() -> None:
    """Let the tasks run that start what has waited."""
    for _ in range(20):
        await asyncio.sleep(0)
