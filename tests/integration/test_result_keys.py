# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each key that a job's Result has on the bus is in the description of the interface."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bed import sites
from bed.api import Api, ApiError

if TYPE_CHECKING:
    from bed.host import Host

_INTERFACES = Path(__file__).parents[2] / "dbus"
# Runs on the host: what the results of the jobs have, as lines of a key and a signature.
_READ_KEYS = """
import asyncio, sys
from dockmgrd.bus.client import Bus
from dockmgrd.bus.messages import PROPERTIES

def walk(values):
    for key, variant in values.items():
        print(key, variant.signature)
        if key == "args":
            continue
        if variant.signature == "a{sv}":
            walk(variant.value)
        elif variant.signature == "aa{sv}":
            for each in variant.value:
                walk(each)

async def main():
    async with Bus() as bus:
        for path in sys.argv[1:]:
            [result] = await bus.call("org.dockmgr1", path, PROPERTIES, "Get", "ss",
                                      ["org.dockmgr1.Job", "Result"])
            walk(result.value)

asyncio.run(main())
"""


def test_every_key_of_a_result_is_described(host: Host) -> None:
    api = Api(host)
    paths = []

    def run(path: str, error: str = "") -> None:
        """Wait for the job; with `error`, it fails with that."""
        paths.append(path)
        if not error:
            api.wait(path)
            return
        with pytest.raises(ApiError, match=error):
            api.wait(path)

    yes, no = ("b", True), ("b", False)
    dry: Any = {"dry-run": yes}
    agree: Any = {"replace-conflicting": yes}
    mirrors = [f"https://{name}" for name in (sites.MIRROR, sites.UNTRUSTED_MIRROR)]
    host.run("dnf", "-y", "install", "podman-docker", timeout=120)
    host.internet.refuse(sites.ALIYUN)
    sources: Any = {"source": ("s", "aliyun,official")}
    run(api.install(**dry, **agree))
    run(api.install(**dry, **{"replace-conflicting": no}))
    run(str(api.call("ListVersions", "a{sv}", sources)))
    run(str(api.call("ProbeSources", "a{sv}", {})))
    run(api.install(**agree, **sources, mirrors=("as", mirrors[:1])))
    run(api.install(plan=("s", "0" * 64)), "PlanChanged")
    for options in ({}, dry, {"registry": ("s", "ghcr.io"), "allow-unused": yes}):
        run(str(api.call("SetMirror", "asa{sv}", [f"https://{sites.MIRROR2}"], options)))
    run(str(api.call("ProbeMirrors", "asa{sv}", mirrors, {})))
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run(
        "docker", "run", "--detach", "--stop-timeout=0", "--name", "runs-on", "tiny", "sleep", "900"
    )
    host.run("docker", "volume", "create", "precious")
    run(api.uninstall(**dry, **{"purge-data": yes}))
    run(api.uninstall(**{"purge-data": yes, "force": yes}))

    found = host.run("/usr/bin/python3", "-IBc", _READ_KEYS, *paths).stdout
    shown = {(key, signature) for key, signature in map(str.split, found.splitlines())}
    for key in ("tried", "plan-changed", "refusal", "purge", "reason", "cause", "probed", "diff"):
        assert key in {each for each, _ in shown}, key
    assert shown - _read_description() == set()


def _read_description() -> set[tuple[str, str]]:
    """The keys and signatures in the comments: a list such as "a, b (s)" has one signature."""
    text = " ".join(
        (_INTERFACES / f"org.dockmgr1.{name}.xml").read_text() for name in ("Job", "Manager")
    )
    found = set()
    key = r"\"?[a-z0-9]+(?:-[a-z0-9]+)*\"?"
    for names, signature in re.findall(
        rf"((?:{key}(?:,\s+|\s+and\s+|,\s+and\s+))*{key})\s+\((a*(?:{{sv}}|[a-z]))\)", text
    ):
        found |= {(name.strip('"'), signature) for name in re.findall(key, names) if name != "and"}
    for name in ("id", "text"):
        found.add((name, "s"))
    return found | {("args", "a{sv}"), ("name", "s"), ("command", "s")}
