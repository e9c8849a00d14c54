# SPDX-License-Identifier: LGPL-2.1-or-later
"""dnf4 and dnf5 give the same outcomes for the same scenarios.

What differs from distribution to distribution by nature is replaced: versions of Docker, the dist
tag, the tree at the source, process ids, sizes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from bed import layers, repositories, sites
from bed.host import Host
from bed.suites import BOOKWORM, FORKY, TRIXIE
from bed.workers import ALL, MINIMAL, RPM_WRITES, holding, install, outcome_of, use_source
from dockmgrd.worker.protocol import Outcome, RemovePackages

if TYPE_CHECKING:
    from bed.suites import Suite

Outcomes = Iterator[Outcome]
_ONLY_IN_FEDORA = "libcgroup-"
# How each solver words its reason is its own.
_SOLVER = re.compile(r"(dnf cannot resolve this: ).*(\. Enable)")


def first_and_again(host: Host) -> Outcomes:
    use_source(host)
    yield outcome_of(host, install())
    yield outcome_of(host, install())


def minimal(host: Host) -> Outcomes:
    use_source(host)
    yield outcome_of(host, install(names=MINIMAL))


def up_and_down(host: Host) -> Outcomes:
    use_source(host)
    past, current, _ = repositories.generations(host.suite)
    for version in (past.engine, "", current.engine, past.engine):
        yield outcome_of(host, install(version=version))


def conflict(host: Host) -> Outcomes:
    host.run("dnf", "-y", "install", "podman-docker", "runc", "buildah")
    use_source(host)
    yield outcome_of(host, install())
    yield outcome_of(host, install(allow_removals=True))


def remove(host: Host) -> Outcomes:
    use_source(host)
    yield outcome_of(host, RemovePackages(names=ALL, allow_removals=False))
    yield outcome_of(host, install())
    yield outcome_of(host, RemovePackages(names=("docker-ce-cli",), allow_removals=False))
    yield outcome_of(host, RemovePackages(names=ALL, allow_removals=False))


def unknown_version(host: Host) -> Outcomes:
    use_source(host)
    yield outcome_of(host, install(version="99.1"))


def unresolvable(host: Host) -> Outcomes:
    use_source(host)
    host.path("/etc/yum.repos.d/base.repo").unlink()
    yield outcome_of(host, install())
    host.write("/etc/dnf/dnf.conf", "[main]\nexcludepkgs=docker-ce\n")
    yield outcome_of(host, install())


def unreachable(host: Host) -> Outcomes:
    use_source(host)
    host.internet.fault(sites.DOCKER, "status", value=404)
    yield outcome_of(host, install())
    host.internet.clear()
    host.internet.fault(
        sites.DOCKER, "status", prefix=f"/linux/{host.suite.trees[0]}/x86_64/stable/P", value=503
    )
    yield outcome_of(host, install())


def unsigned(host: Host) -> Outcomes:
    use_source(host, f"https://{sites.UNSIGNED}")
    yield outcome_of(host, install())


def signed_by_a_stranger(host: Host) -> Outcomes:
    use_source(host, f"https://{sites.STRANGER}")
    yield outcome_of(host, install())


def damaged(host: Host) -> Outcomes:
    use_source(host)
    prefix = f"/linux/{host.suite.trees[0]}/x86_64/stable/P"
    host.internet.fault(sites.DOCKER, "damage", prefix=prefix)
    outcome = outcome_of(host, install(names=MINIMAL))
    yield outcome


def locked(host: Host) -> Outcomes:
    use_source(host)
    with holding(host, RPM_WRITES):
        yield outcome_of(host, install())


def dead_repository(host: Host) -> Outcomes:
    use_source(host)
    text = "[elsewhere]\nname=Elsewhere\nbaseurl=https://nowhere.bed.test/\n"
    host.write("/etc/yum.repos.d/elsewhere.repo", text)
    yield outcome_of(host, install(names=MINIMAL))


SCENARIOS: tuple[Callable[[Host], Outcomes], ...] = (
    first_and_again,
    minimal,
    up_and_down,
    conflict,
    remove,
    unknown_version,
    unresolvable,
    unreachable,
    unsigned,
    signed_by_a_stranger,
    damaged,
    locked,
    dead_repository,
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_outcomes_are_the_same_everywhere(scenario: Callable[[Host], Outcomes]) -> None:
    expected = on(BOOKWORM, scenario)
    assert on(TRIXIE, scenario) == expected
    assert on(FORKY, scenario) == expected


def on(suite: Suite, scenario: Callable[[Host], Outcomes]) -> list[dict[str, Any]]:
    """The outcomes of the scenario on a fresh host, without what makes the suite different."""
    with ExitStack() as stack:
        host = stack.enter_context(Host(suite, layers.ours(suite)))
        return [_normal(suite, outcome) for outcome in scenario(host)]


def _normal(suite: Suite, outcome: Outcome) -> dict[str, Any]:
    """The outcome as a person reads it."""
    fields = {
        **asdict(outcome),
        "error": str(outcome.error),
        "notes": [str(each) for each in outcome.notes],
    }
    values = {key: _neutral(suite, value) for key, value in fields.items()}
    values["download_bytes"] = outcome.download_bytes > 0
    return values


def _neutral(suite: Suite, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        kept = [each for each in value if not str(each).startswith(_ONLY_IN_FEDORA)]
        return sorted(_neutral(suite, each) for each in kept)
    if not isinstance(value, str):
        return value
    names = ("PAST", "CURRENT", "COMING")
    for generation, name in zip(repositories.generations(suite), names):
        value = value.replace(generation.engine, name).replace(generation.containerd, name)
    value = value.replace(suite.trees[0], "TREE").replace(suite.dist, "DIST")
    value = re.sub(r"process \d+ \(.*?\)\. Wait", "process PID. Wait", value)
    value = re.sub(r"\(IP: [^)]*\)", "(IP)", value)
    value = re.sub(r"/Packages/\S+", "/Packages/FILE", value)  # the first one to fail
    value = re.sub(r"[0-9a-f]{64}", "DIGEST", value)
    return _SOLVER.sub(r"\1…\2", value)
