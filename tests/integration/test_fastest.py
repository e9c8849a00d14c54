# SPDX-License-Identifier: LGPL-2.1-or-later
"""The source `fastest`: which sources are measured, in which order they are tried, and the plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed import sites
from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF
from bed.suites import ARCH

if TYPE_CHECKING:
    from bed.host import Host

TRUE, FALSE = ("b", True), ("b", False)
QUICK = {"minimal": TRUE, "start": FALSE, "enable": FALSE}
FASTEST = ("s", "fastest")
MEMORY = "/var/lib/dockmgrd/measured-sources.json"
REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
LIMITS = "/etc/dockmgrd/dockmgrd.yaml"
ALLOWED = "allowed-sources: [dead, official, tuna, aliyun, ustc]\n"
SLOW_BYTES = 2000
"""A second: enough for repomd.xml in time, and far too little for a package."""

# Runs on the host: makes the metadata of an earlier state of the repository look as old as it is.
_AGE = """
sed -E 's/<(revision|timestamp)>[0-9]+/<\\1>1700000000/' "$1" >/run/old.xml
mount --bind /run/old.xml "$1"
"""


def arrange(host: Host) -> None:
    """One slow, one stale, one damaged, one dead and one good source: the last is ustc."""
    tree = f"linux/{host.suite.trees[0]}/{ARCH}"
    host.write("/etc/dockmgrd/sources.d/dead.yaml", _describe("dead", "https://127.0.0.1:1"))
    host.write(LIMITS, ALLOWED)
    host.internet.fault(sites.ALIYUN, "slow", value=SLOW_BYTES)
    host.internet.fault(sites.DOCKER, "damage", prefix=f"/{tree}/stable/Packages")
    stale = {"prefix": f"/docker-ce/{tree}/stable", "value": f"/docker-ce/{tree}/old"}
    host.internet.fault(sites.TUNA, "instead", **stale)
    old = f"/srv/bed/repositories/docker/{tree}/old/repodata/repomd.xml"
    host.run("sh", "-ec", _AGE, "sh", old)


def _describe(name: str, prefix: str) -> str:
    return f"sources:\n  {name}:\n    prefix: {prefix}\n"


def list_notes(result: dict[str, Any]) -> dict[str, Any]:
    return {each["id"]: each["args"] for each in result["notes"]}


@EACH_DNF
def test_the_good_one_is_chosen_and_the_plan_holds(host: Host) -> None:
    arrange(host)
    api, bob = Api(host), Api(host, user="bob")
    measured = bob.wait(bob.call("ProbeSources", "a{sv}", {}))["measured"]
    assert [each["source"] for each in measured[:3]] == ["ustc", "aliyun", "tuna"]
    verdicts = {each["source"]: each["verdict"] for each in measured}
    assert verdicts["official"] == "corrupt"
    assert verdicts["dead"] == "refused"
    assert [each["source"] for each in measured if each["stale"]] == ["tuna"]

    host.path(MEMORY).unlink()
    plan = api.wait(api.install(source=FASTEST, dry_run=TRUE, **QUICK))
    assert plan["source"] == "ustc"
    assert list_notes(plan)["fastest-source"]["source"] == "ustc"
    assert host.path(MEMORY).exists()

    # The plan holds for its source, whatever a measurement would say now.
    host.path(MEMORY).write_text("{damaged")
    host.internet.clear()
    host.internet.forget_requests()
    done = api.wait(api.install(source=FASTEST, plan=("s", plan["digest"]), **QUICK))
    assert done["source"] == "ustc"
    assert f"baseurl=https://{sites.USTC}/" in host.read(REPOSITORY)
    others = (sites.DOCKER, sites.ALIYUN, sites.TUNA)
    assert not any(host.internet.requests(each) for each in others)


@EACH_DNF
def test_the_next_one_in_the_order_serves(host: Host) -> None:
    arrange(host)
    host.write(LIMITS, ALLOWED + "default-source: fastest\n")
    api = Api(host)
    versions = api.wait(api.call("ListVersions", "a{sv}", {}))
    assert versions["source"] == "ustc"
    plan = api.wait(api.install(dry_run=TRUE, **QUICK))

    # From now on the order is remembered, and nothing is measured.
    host.internet.clear()
    host.internet.fault(sites.USTC, "status", value=503)
    with pytest.raises(ApiError) as caught:
        api.wait(api.install(plan=("s", plan["digest"]), **QUICK))
    assert caught.value.name.endswith(".PlanChanged"), "it was a plan with another source"
    host.internet.forget_requests()
    done = api.wait(api.install(**QUICK))
    assert done["source"] == "aliyun"
    assert [each["source"] for each in done["tried"]] == ["ustc"]
    assert host.internet.requests(sites.DOCKER) == []


def test_the_command_line_and_no_source_at_all(host: Host) -> None:
    arrange(host)
    table = host.run("dockmgrctl", "sources", "--probe").stdout.splitlines()
    assert table[0].split()[:3] == ["SOURCE", "RESULT", "LATENCY"]
    assert [line.split()[0] for line in table[1:4]] == ["ustc", "aliyun", "tuna"]
    plain = json.loads(host.run("dockmgrctl", "--json", "sources", "--probe").stdout)
    assert plain["measured"][0]["source"] == "ustc"
    shown = host.run("dockmgrctl", "install", "--source", "fastest", "--dry-run").stdout
    assert "ustc is the fastest of 3 sources" in " ".join(shown.split())
    host.write(LIMITS, "allowed-sources: [aliyun]\n")
    slow = host.run("dockmgrctl", "sources", "--probe").stdout
    assert "aliyun" in slow, "it would be used, however slow it is"
    host.write(LIMITS, "allowed-sources: [dead]\n")
    probe = host.run("dockmgrctl", "sources", "--probe", check=False)
    assert probe.returncode != 0
    done = host.run("dockmgrctl", "install", "-y", "--source", "fastest", check=False)
    assert done.returncode != 0
    assert "127.0.0.1:1 refuses connections" in done.stderr
    assert not host.path(REPOSITORY).exists()
    for source in ("fastest,ustc", "ustc,fastest"):
        refused = host.run("dockmgrctl", "install", "-y", "--source", source, check=False)
        assert "cannot be combined" in refused.stderr
