# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a job is about to do, told before it is done, and what a caller's consent is good for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd.errors import PlanChanged
from dockmgrd.host.jobstore import JobStore
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.mirrors.change import readable_for_all
from dockmgrd.worker.protocol import Change


@dataclass(frozen=True)
class Plan:
    """Everything that a job will do to the host."""

    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    actions: tuple[str, ...] = ()
    """What is done with units, such as: start docker.service."""
    stops: tuple[str, ...] = ()
    """Names of the containers that it stops."""
    deletes: tuple[Path, ...] = ()
    """What is deleted with all that is in it."""

    @property
    def steps(self) -> list[str]:
        """All of it, a line for each; what the digest is made of."""
        return [
            *sorted(map(_step_of, self.changes)),
            *sorted(each.step for each in self.files),
            *self.actions,
            *(f"stop container {name}" for name in sorted(self.stops)),
            *(f"delete {path} and all in it" for path in self.deletes),
        ]

    @property
    def digest(self) -> str:
        """Same steps, same digest: SHA-256 in hexadecimal digits."""
        return hashlib.sha256("\n".join(self.steps).encode()).hexdigest()

    def to_result(self) -> dict[str, Any]:
        """The plan as a Result shows it; lists that would be empty are left out."""
        lists = {
            "install": self._list_changes("install"),
            "upgrade": self._list_changes("upgrade"),
            "downgrade": self._list_changes("downgrade"),
            "remove": self._list_changes("remove"),
            "diff": self._join_diffs(),
            "actions": list(self.actions),
            "stops": list(self.stops),
            "deletes": [str(path) for path in self.deletes],
        }
        return {
            **{key: value for key, value in lists.items() if value},
            "steps": self.steps,
            "download-bytes": sum(each.download for each in self.changes),
            "disk-bytes": sum(each.growth for each in self.changes),
            "digest": self.digest,
        }

    def require_digest(self, digest: str) -> None:
        """See that this is the plan to which the caller has agreed; "" agrees to any.

        :raises PlanChanged: when not, with what differs as far as that is still known.
        """
        if digest in ("", self.digest):
            return
        raise PlanChanged(
            "What would be done has changed since the plan was shown: "
            f"{self._describe_difference(digest)}; nothing was done, look at the new plan and "
            "agree to that.",
            {"plan-changed": True, "changed": bool(self.steps), **self.to_result()},
        )

    def _list_changes(self, action: str) -> list[dict[str, Any]]:
        return [
            {
                "package": each.package,
                **{
                    key: value
                    for key, value in (
                        ("replaces", each.replaces),
                        ("repository", each.repository),
                        ("reason", each.reason),
                    )
                    if value
                },
                "download-bytes": each.download,
                "disk-bytes": each.growth,
            }
            for each in sorted(self.changes, key=lambda each: each.package)
            if each.action == action
        ]

    def _join_diffs(self) -> str:
        """The changes of files. A Result is for everybody to read, a file may not be."""
        return "".join(
            each.diff()
            if each.public and readable_for_all(each.path)
            else f"{each.path} changes; it is not readable for everybody, so no more is shown.\n"
            for each in self.files
        )

    def _describe_difference(self, digest: str) -> str:
        before = _steps_of(digest)
        if before is None:
            return f"the plan with the digest {digest[:12]}… is not known any more"
        new = [step for step in self.steps if step not in before]
        gone = [step for step in before if step not in self.steps]
        if not gone:
            return f"it would also {', '.join(new)}"
        if not new:
            return f"it would not {', '.join(gone)}"
        return f"it would also {', '.join(new)} and it would not {', '.join(gone)}"


def _step_of(each: Change) -> str:
    """What is done with a package. Each is a text of its own, as translators need them."""
    alone = {
        "install": f"install {each.package}",
        "upgrade": f"upgrade {each.package}",
        "downgrade": f"downgrade {each.package}",
        "remove": f"remove {each.package}",
    }
    in_place = {
        "install": f"install {each.package} for {each.replaces}",
        "upgrade": f"upgrade {each.package} for {each.replaces}",
        "downgrade": f"downgrade {each.package} for {each.replaces}",
    }
    return (in_place if each.replaces else alone).get(each.action, alone[each.action])


def _steps_of(digest: str) -> Sequence[str] | None:
    """The steps of the plan that an earlier job told; None when no job is remembered that did."""
    store = JobStore()
    for job_id in reversed(store.ids()):
        result = store.read_result(job_id)
        if result is not None and result.result.get("digest") == digest:
            steps: list[str] = result.result.get("steps", [])
            return steps
    return None
