# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a job is about to do, shown before it is done, and what a caller's consent is good for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd.errors import PlanChanged
from dockmgrd.host.jobstore import JobStore
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.mirrors.change import is_public
from dockmgrd.messages import packages as messages
from dockmgrd.messages import steps
from dockmgrd.messages.text import Template, Text, foreign_text, from_plain
from dockmgrd.worker.protocol import Change

_PACKAGE_STEPS: Mapping[str, Template] = {
    "install": steps.INSTALL_PACKAGE,
    "upgrade": steps.UPGRADE_PACKAGE,
    "downgrade": steps.DOWNGRADE_PACKAGE,
    "remove": steps.REMOVE_PACKAGE,
}
_IN_PLACE_STEPS: Mapping[str, Template] = {
    "install": steps.INSTALL_IN_PLACE,
    "upgrade": steps.UPGRADE_IN_PLACE,
    "downgrade": steps.DOWNGRADE_IN_PLACE,
}
_MAX_DIGEST_SHOWN = 12


@dataclass(frozen=True)
class Plan:
    """Everything that a job will do to the host."""

    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    actions: tuple[Text, ...] = ()
    """What is done with units, made from the templates of `messages.steps`."""
    stops: tuple[str, ...] = ()
    """Names of the containers that it stops."""
    deletes: tuple[Path, ...] = ()
    """What is deleted with all that is in it."""

    @property
    def steps(self) -> list[Text]:
        """All of it in the order in which the digest takes it."""
        return [
            *sorted(map(_make_package_step, self.changes), key=_make_line),
            *sorted(map(_make_file_step, self.files), key=_make_line),
            *self.actions,
            *(steps.STOP_CONTAINER(container=name) for name in sorted(self.stops)),
            *(steps.DELETE_TREE(path=str(path)) for path in self.deletes),
        ]

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal digits of the steps' ids and arguments, whatever their wording."""
        return hashlib.sha256("\n".join(map(_make_line, self.steps)).encode()).hexdigest()

    def to_result(self) -> dict[str, Any]:
        """The plan as a Result shows it; lists that would be empty are left out."""
        lists = {
            "install": self._list_changes("install"),
            "upgrade": self._list_changes("upgrade"),
            "downgrade": self._list_changes("downgrade"),
            "remove": self._list_changes("remove"),
            "diff": self._join_diffs(),
            "actions": [each.to_plain() for each in self.actions],
            "stops": list(self.stops),
            "deletes": [str(path) for path in self.deletes],
        }
        return {
            **{key: value for key, value in lists.items() if value},
            **self.to_record(),
            "download-bytes": sum(each.download for each in self.changes),
            "disk-bytes": sum(each.growth for each in self.changes),
        }

    def to_record(self) -> dict[str, Any]:
        """What the Result of a job that has done the plan keeps of it."""
        diff = self._join_diffs()
        return {
            **({"diff": diff} if diff else {}),
            "steps": [each.to_plain() for each in self.steps],
            "digest": self.digest,
        }

    def require_digest(self, digest: str) -> None:
        """Check that this is the plan to which the caller has agreed; "" agrees to any.

        :raises PlanChanged: when not, with what differs as far as that is still known.
        """
        if digest in ("", self.digest):
            return
        raise PlanChanged(
            messages.PLAN_CHANGED(difference=self._describe_difference(digest)).with_remedy(
                messages.AGREE_TO_NEW_PLAN()
            ),
            {"plan-changed": True, "changed": bool(self.steps), **self.to_result()},
        )

    def _list_changes(self, action: str) -> list[dict[str, Any]]:
        return [
            _describe_change(each)
            for each in sorted(self.changes, key=lambda each: each.package)
            if each.action == action
        ]

    def _join_diffs(self) -> str:
        """The changes of files. A Result is for everybody to read, a file may not be."""
        return "".join(
            each.diff()
            if each.public and is_public(each.path)
            else f"{messages.HIDDEN_CHANGE(path=str(each.path))}\n"
            for each in self.files
        )

    def _describe_difference(self, digest: str) -> Text:
        before = _find_steps(digest)
        if before is None:
            return messages.PLAN_UNKNOWN(digest=digest[:_MAX_DIGEST_SHOWN])
        lines_before, lines_now = set(map(_make_line, before)), set(map(_make_line, self.steps))
        added = [each for each in self.steps if _make_line(each) not in lines_before]
        omitted = [each for each in before if _make_line(each) not in lines_now]
        if not omitted:
            return messages.PLAN_ADDS(added=added)
        if not added:
            return messages.PLAN_OMITS(omitted=omitted)
        return messages.PLAN_ADDS_AND_OMITS(added=added, omitted=omitted)


def find_plan_result(digest: str) -> Mapping[str, Any] | None:
    """The result of the latest job that has shown the plan; None when no job is known that did."""
    store = JobStore()
    for job_id in reversed(store.ids()):
        result = store.read_result(job_id)
        if result is not None and result.result.get("digest") == digest:
            return result.result
    return None


def _make_package_step(change: Change) -> Text:
    if change.replaces:
        template = _IN_PLACE_STEPS[change.action]
        return template(package=change.package, replaced=change.replaces)
    return _PACKAGE_STEPS[change.action](package=change.package)


def _make_file_step(change: FileChange) -> Text:
    path = str(change.path)
    if change.after is None:
        return steps.DELETE_FILE(path=path)
    if not change.binding:
        return steps.WRITE_FILE(path=path)
    return steps.WRITE_CONTENT(path=path, digest=hashlib.sha256(change.after).hexdigest())


def _make_line(step: Text) -> str:
    """What stands for the step in a digest."""
    return json.dumps([step.id, step.args], sort_keys=True)


def _describe_change(change: Change) -> dict[str, Any]:
    optional = {
        "replaces": change.replaces,
        "repository": change.repository,
        "reason": change.reason and change.reason.to_plain(),
    }
    return {
        "package": change.package,
        **{key: value for key, value in optional.items() if value},
        "download-bytes": change.download,
        "disk-bytes": change.growth,
    }


def _find_steps(digest: str) -> Sequence[Text] | None:
    """The steps of the plan that an earlier job has shown; None when no job is known that did."""
    result = find_plan_result(digest)
    return None if result is None else [_read_step(each) for each in result.get("steps", [])]


def _read_step(plain: Any) -> Text:
    """A step of a result; those of version 0.1.0 are plain sentences."""
    return from_plain(plain) if isinstance(plain, Mapping) else foreign_text(str(plain))
