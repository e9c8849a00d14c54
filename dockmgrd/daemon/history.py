# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which ended jobs are kept: some of each user, and apart by what they did to the host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from dockmgrd.daemon.job_state import Job
from dockmgrd.enums import JobState


class Shelf(Enum):
    """What an ended job did. Jobs of one shelf never take the place of those of another."""

    CHANGED = "changed"
    FAILED = "failed"
    UNCHANGED = "unchanged"
    READ = "read"


@dataclass(frozen=True)
class Limit:
    """How many ended jobs a shelf holds."""

    of_user: int
    in_all: int


LIMITS: Mapping[Shelf, Limit] = {
    Shelf.CHANGED: Limit(50, 200),
    Shelf.FAILED: Limit(20, 100),
    Shelf.UNCHANGED: Limit(10, 100),
    Shelf.READ: Limit(10, 100),
}


def find_shelf(job: Job) -> Shelf:
    """Where an ended job belongs."""
    if job.request.reads_only:
        return Shelf.READ
    if job.state in (JobState.FAILED, JobState.INTERRUPTED):
        return Shelf.FAILED
    changed = job.result is not None and job.result.result.get("changed", True)
    return Shelf.CHANGED if job.state is JobState.DONE and changed else Shelf.UNCHANGED


def find_surplus(jobs: Iterable[Job]) -> list[Job]:
    """Those of the jobs, oldest first, that are not kept any longer. Running ones are kept."""
    shelves: dict[Shelf, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.result is not None:
            shelves[find_shelf(job)].append(job)
    return [job for shelf, ended in shelves.items() for job in _find_surplus(ended, LIMITS[shelf])]


def _find_surplus(ended: Sequence[Job], limit: Limit) -> list[Job]:
    """A job is kept as long as it is among the last of one of its users."""
    by_user: dict[int, list[Job]] = defaultdict(list)
    for job in ended:
        for user in job.owners:
            by_user[user].append(job)
    kept = {user: jobs[-limit.of_user :] for user, jobs in by_user.items()}
    while len({job for jobs in kept.values() for job in jobs}) > limit.in_all:
        kept[max(kept, key=lambda user: len(kept[user]))].pop(0)
    remaining = {job for jobs in kept.values() for job in jobs}
    return [job for job in ended if job not in remaining]
