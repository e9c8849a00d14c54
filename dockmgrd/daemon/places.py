# SPDX-License-Identifier: LGPL-2.1-or-later
"""Places for jobs that only read: everybody gets some, and nobody takes those of others.

Root, users whom polkit authorized, and strangers have places of their own. Where there is no free
one, a job waits for its turn; users take turns, however many jobs one of them submits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum

from dockmgrd.daemon.job_state import Job
from dockmgrd.errors import LimitsExceeded
from dockmgrd.messages import jobs as messages

MAX_READING = 4
"""Jobs that run at a time for root, for authorized users, and for strangers."""
MAX_READING_OF_USER = 2
MAX_WAITING_OF_USER = 8


class Group(Enum):
    """Whose places a job takes."""

    ROOT = "root"
    AUTHORIZED = "authorized"
    STRANGERS = "strangers"


def group_of(job: Job) -> Group:
    """The best group that one of the job's users belongs to."""
    if 0 in job.users:
        return Group.ROOT
    return Group.AUTHORIZED if job.authorized else Group.STRANGERS


class Places:
    """Decides which of the reading jobs may run. Pass it all of them that have not ended."""

    def __init__(self) -> None:
        self._turns: Counter[int] = Counter()
        """How many waiting jobs of each user were chosen, since somebody has waited."""

    def has_room(self, group: Group, running: Iterable[Job]) -> bool:
        """Whether one more job of the group may run."""
        return sum(not each.waiting and group_of(each) is group for each in running) < MAX_READING

    def may_run(self, job: Job, running: Iterable[Job]) -> bool:
        """Whether the job may start now, beside those that run."""
        others = [each for each in running if each is not job and not each.waiting]
        if not self.has_room(group_of(job), others):
            return False
        return any(
            user == 0 or sum(user in each.users for each in others) < MAX_READING_OF_USER
            for user in job.users
        )

    def check(self, uid: int, running: Iterable[Job]) -> None:
        """:raises LimitsExceeded: when too many jobs of the user wait already."""
        waiting = sum(each.waiting and uid in each.users for each in running)
        if waiting >= MAX_WAITING_OF_USER:
            text = messages.TOO_MANY_WAIT(count=waiting)
            raise LimitsExceeded(text.with_remedy(messages.WAIT_OR_CANCEL_ONE(), "dockmgrctl jobs"))

    def choose(self, running: Iterable[Job]) -> Job | None:
        """The waiting job whose turn it is, of those that may run; None when there is none."""
        jobs = list(running)
        if not any(job.waiting for job in jobs):
            self._turns.clear()
            return None
        ready = [job for job in jobs if job.waiting and self.may_run(job, jobs)]
        if not ready:
            return None
        chosen = min(ready, key=lambda job: min(self._turns[user] for user in job.users))
        self._turns.update(chosen.users)
        return chosen
