# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must hold after a job on any host: what it has announced, and nothing else, is gone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integration.walk_hosts import ENGINE_FOLDERS
from integration.walk_view import find_containers, find_ended, find_lost, find_lost_mounts, find_new

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.walk_steps import Outcome
    from integration.walk_view import View

_REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
_UNITS = "/etc/systemd/system/"
_FAULTS_OF_OURS = ("Internal", "UnknownObject", "NoReply", "Interrupted")
_HALFWAY = ("ServiceFailed", "WriteFailed", "TransactionFailed")
"""Errors with which a job may end after rpm has written: it has done a part of its plan then."""
_OF_SCRIPTLETS = re.compile(r"/etc/(group|gshadow)-?|/etc/ld\.so\.cache")
_KEPT = ("containerd-data-kept", "containerd-data-unknown", "containerd-of-others")
_CONTAINERD_DATA = "/var/lib/containerd"
_MAX_SHOWN = 12


@dataclass(frozen=True)
class Run:
    """A job: its dry run and itself, and the host before, between and after them."""

    before: View
    planned: View
    after: View
    plan: Outcome
    outcome: Outcome
    canceled: bool

    @property
    def may_end_containers(self) -> bool:
        """Whether the dry run has announced that an engine finds containers when it starts."""
        notes = self.plan.result.get("notes", ())
        return any(note["id"] == "start-finds-containers" for note in notes)

    @property
    def refusal(self) -> str:
        """The error that the dry run has announced; "" for none."""
        name: str = self.plan.result.get("refusal", {}).get("name", "").rpartition(".")[2]
        return name or self.plan.error


def find_faults(run: Run) -> list[str]:
    """What is wrong with what the job has done to the host; empty when nothing is."""
    outcomes = (run.plan, run.outcome)
    faults = [each.text for each in outcomes if each.error in _FAULTS_OF_OURS]
    faults += _find_differences("the dry run", run.before, run.planned)
    if run.planned.has_foreign_repository and not run.after.has_foreign_repository:
        faults.append("the repository of others is lost")
    if run.canceled and run.outcome.error == "Cancelled":
        return faults + _find_differences("the canceled job", run.planned, run.after)
    if run.refusal:
        if run.outcome.error != run.refusal:
            faults.append(f"announced {run.refusal}, ended with {run.outcome.error or 'success'}")
        return faults + _find_differences("the refused job", run.planned, run.after)
    if run.outcome.error and run.outcome.error not in _HALFWAY:
        return faults + _find_differences("the failed job", run.planned, run.after)
    faults += _find_unannounced(run)
    return faults if run.outcome.error else faults + _find_undone(run)


def _find_differences(what: str, before: View, after: View) -> list[str]:
    """What has changed where nothing may."""
    found = {
        "loses": find_lost(before, after, ENGINE_FOLDERS),
        "leaves": find_new(before, after, ENGINE_FOLDERS),
        "unmounts": find_lost_mounts(before, after),
        "changes packages": sorted(before.packages.keys() ^ after.packages.keys()),
        "changes units": [
            unit for unit, state in before.units.items() if after.units[unit] != state
        ],
        "ends processes": find_ended(before, after),
    }
    return _describe(what, found)


def _find_unannounced(run: Run) -> list[str]:
    """What has gone or changed without an announcement."""
    plan = run.plan.result
    packages = set(map(_drop_epoch, _list_removed(plan)))
    files = {path for package in packages for path in run.planned.packages.get(package, ())}
    found = {
        "loses": [
            path
            for path in find_lost(run.planned, run.after, ENGINE_FOLDERS)
            if path not in files and not _is_announced(path, plan, run.planned)
        ],
        "unmounts": find_lost_mounts(run.planned, run.after),
        "ends containers": [
            pid
            for pid in find_containers(run.planned)
            if pid not in run.after.processes
            and not plan.get("stops")
            and not run.may_end_containers
        ],
        "removes packages": sorted(
            run.planned.packages.keys() - run.after.packages.keys() - packages
        ),
    }
    return _describe("without an announcement, the job", found)


def _find_undone(run: Run) -> list[str]:
    """What a job that succeeded has not done although it was announced."""
    kept = {each["id"] for each in run.outcome.result.get("notes", ())} & set(_KEPT)
    found = {
        "delete the data of containers that run": (
            find_containers(run.after) if run.plan.result.get("deletes") else []
        ),
        "keep": [
            tree
            for tree in run.plan.result.get("deletes", ())
            if any(path.startswith(f"{tree}/") for path in run.after.files)
            and not (tree == _CONTAINERD_DATA and kept)
        ],
        "do other steps": [
            str(each)
            for each in run.outcome.result.get("steps", ())
            if each not in run.plan.result["steps"]
        ],
    }
    return _describe("against the announcement, the job does", found)


def _is_announced(path: str, plan: Mapping[str, Any], view: View) -> bool:
    if any(path == tree or path.startswith(f"{tree}/") for tree in plan.get("deletes", ())):
        return True
    for step in plan.get("steps", ()):
        file, unit = step["args"].get("path", ""), step["args"].get("unit", "")
        # The folder of the last drop-in goes with it. A link stays, and its target is changed.
        _, _, _, *target = view.files.get(file, (0, 0, 0))
        if file and path in (file, file.rpartition("/")[0], *target[:1]):
            return True
        if file == _REPOSITORY and path.startswith(_REPOSITORY):
            return True
        if unit and path.startswith(_UNITS) and path.endswith(f"/{unit}"):
            return True
    return bool(_OF_SCRIPTLETS.fullmatch(path))


def _list_removed(plan: Mapping[str, Any]) -> list[str]:
    """Packages that go, or go because another version comes."""
    removed = [each["package"] for each in plan.get("remove", ())]
    changed = [each for key in ("install", "upgrade", "downgrade") for each in plan.get(key, ())]
    return [*removed, *(each["replaces"] for each in changed if "replaces" in each)]


def _drop_epoch(nevra: str) -> str:
    return re.sub(r"-[0-9]+:", "-", nevra)


def _describe(what: str, found: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        f"{what} {verb}: {', '.join(things[:_MAX_SHOWN])} ({len(things)})"
        for verb, things in found.items()
        if things
    ]
