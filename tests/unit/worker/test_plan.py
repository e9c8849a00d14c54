# SPDX-License-Identifier: LGPL-2.1-or-later
"""Why a package is removed, and what the outcome of a transaction says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dockmgrd.errors import ConflictingPackages
from dockmgrd.messages import dnf as messages
from dockmgrd.worker import plan
from dockmgrd.worker.protocol import Change

OLD = "docker-engine-1.13-1.x86_64"


class _Relations:
    """Packages are their names; `facts` are the pairs that are related."""

    def __init__(self, **facts: set[tuple[str, str]]) -> None:
        self._facts: Mapping[str, set[tuple[str, str]]] = facts

    def name(self, package: Any) -> str:
        return str(package)

    def obsoletes(self, one: Any, other: Any) -> bool:
        return (one, other) in self._facts.get("obsoletes", ())

    def conflicts(self, one: Any, other: Any) -> bool:
        return (one, other) in self._facts.get("conflicts", ())

    def requires(self, one: Any, other: Any) -> bool:
        return (one, other) in self._facts.get("requires", ())


@pytest.mark.parametrize(
    ("facts", "requested", "sentence"),
    [
        ({}, {"old"}, messages.REMOVAL_REQUESTED()),
        ({"obsoletes": {("new", "old")}}, set(), messages.OBSOLETED_BY(package="new")),
        ({"conflicts": {("new", "old")}}, set(), messages.CONFLICTS_WITH(package="new")),
        ({"conflicts": {("old", "new")}}, set(), messages.CONFLICTS_WITH(package="new")),
        ({"requires": {("old", "library")}}, set(), messages.NEEDS_PACKAGE(package="library")),
        ({}, set(), messages.CANNOT_STAY()),
    ],
)
def test_reasons(facts: Any, requested: set[str], sentence: Any) -> None:
    relations = _Relations(**facts)
    assert plan.find_reason(relations, "old", ["new"], ["old", "library"], requested) == sentence


def test_removals_need_consent() -> None:
    reason = messages.OBSOLETED_BY(package="docker-ce")
    changes = [Change("install", "docker-ce-1-1.x86_64"), Change("remove", OLD, reason=reason)]
    plan.require_consent(changes[:1], messages.INSTALL_WOULD_REMOVE, messages.AGREE_TO_REPLACE)
    with pytest.raises(ConflictingPackages, match=OLD):
        plan.require_consent(changes, messages.INSTALL_WOULD_REMOVE, messages.AGREE_TO_REPLACE)


def test_outcome_sorts_the_changes() -> None:
    changes = [Change("install", "b"), Change("remove", "c"), Change("install", "a")]
    outcome = plan.make_outcome(changes, download_bytes=9, notes=())
    assert (outcome.installed, outcome.removed, outcome.upgraded) == (("a", "b"), ("c",), ())
    assert outcome.changed
    assert outcome.download_bytes == 9
