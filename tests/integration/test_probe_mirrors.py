# SPDX-License-Identifier: LGPL-2.1-or-later
"""Probes of mirrors on hosts: the result names each kind of failure; and who may probe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import unit.proxy_server
from bed.api import Api, ApiError
from bed.fixtures import EVERYWHERE
from integration.mirror_hosts import (
    MIRROR,
    MIRROR2,
    TOKEN,
    UNTRUSTED,
    active,
    engine_host,
    probe,
    set_mirror,
)

if TYPE_CHECKING:
    from bed.host import Host

__all__ = ["engine_host"]

DEAD, NOWHERE = "https://unsigned.bed.test/", "https://nowhere.bed.test/"
BLOBS = "/v2/library/hello-world/blobs"
PROXY = "ann:s%%40cret@127.0.0.1:3128"
PROXY_DROP_IN = "/etc/systemd/system/docker.service.d/proxy.conf"
ADMIN_FILE = "/etc/dockmgrd/mirrors.d/bed.yaml"

PATIENCE = (3, 12, 60)
"""Seconds for a test in which one mirror never answers, and others must within the same time."""


def verdicts(api: Api, *mirrors: str, timeout: int = 60) -> dict[str, tuple[str, str]]:
    result = api.wait(probe(api, *mirrors, timeout=("u", timeout)))
    return {each["mirror"]: (each["verdict"], each["step"]) for each in result["probed"]}


@EVERYWHERE
def test_a_mirror_serves_a_pull_that_fails_without_it(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    assert verdicts(api, MIRROR, TOKEN) == {MIRROR: ("ok", ""), TOKEN: ("ok", "")}
    assert host.run("docker", "pull", "hello-world", check=False).returncode != 0
    for mirror in (MIRROR, TOKEN):
        api.wait(set_mirror(api, mirror))
        host.run("docker", "pull", "hello-world")
        host.run("docker", "rmi", "hello-world")


def test_failures_of_mirrors_are_distinguished(host: Host) -> None:
    host.internet.refuse("unsigned.bed.test")
    host.internet.fault("mirror2.bed.test", "status", prefix=BLOBS, value=403)
    host.internet.fault("token.bed.test", "hang", prefix="/v2/")
    api = Api(host)
    expected = {
        MIRROR: ("ok", ""),
        DEAD: ("refused", "v2"),
        NOWHERE: ("unresolvable", "v2"),
        UNTRUSTED: ("untrusted", "v2"),
        MIRROR2: ("denied", "blob"),
        TOKEN: ("timeout", "v2"),
    }
    for seconds in PATIENCE:
        found = verdicts(api, *sorted(expected), timeout=seconds)
        if found == expected:
            break
    assert found == expected
    host.internet.clear()
    host.internet.fault("mirror2.bed.test", "status", prefix="/v2/library", value=429)
    host.internet.fault("token.bed.test", "status", prefix="/token", value=403)
    host.internet.fault("mirror.bed.test", "damage", prefix=BLOBS)
    assert verdicts(api, MIRROR, MIRROR2, TOKEN) == {
        MIRROR: ("corrupt", "blob"),
        MIRROR2: ("rate-limited", "manifest"),
        TOKEN: ("denied", "token"),
    }


def test_the_slow_one_comes_after_the_fast_one(host: Host) -> None:
    host.internet.fault("mirror.bed.test", "slow", prefix=BLOBS, value=2000)
    result = Api(host).wait(probe(Api(host), MIRROR, MIRROR2))
    assert [each["mirror"] for each in result["probed"]] == [MIRROR2, MIRROR]
    fast, slow = result["probed"]
    assert fast["seconds"] < slow["seconds"]
    assert fast["throughput"] > slow["throughput"]
    assert 0 < fast["latency"] <= fast["seconds"]


def test_certificates_are_judged_as_the_engine_judges_them(host: Host) -> None:
    api = Api(host)
    certificate = "/etc/docker/certs.d/untrusted.bed.test"
    assert verdicts(api, UNTRUSTED)[UNTRUSTED] == ("untrusted", "v2")
    host.write(f"{certificate}/ca.crt", host.read("/etc/ssl/certs/ca-certificates.crt"))
    assert verdicts(api, UNTRUSTED)[UNTRUSTED] == ("untrusted", "v2"), "the name is a wrong one"


def test_mirrors_are_tried_through_the_proxy_of_the_engine(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.internet.refuse("mirror.bed.test")  # but not to the proxy, which knows another way
    host.write("/srv/proxy.py", Path(unit.proxy_server.__file__).read_text())
    host.write(PROXY_DROP_IN, f'[Service]\nEnvironment="HTTPS_PROXY=http://{PROXY}"\n')
    program = [
        "python3",
        "/srv/proxy.py",
        "ann:s@cret",
        "3128",
        "mirror.bed.test:443=127.0.0.1:443",
    ]
    host.run("systemd-run", "--unit=proxy", "--service-type=notify", *program)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "docker.service")
    result = api.wait(probe(api, MIRROR))
    assert [each["verdict"] for each in result["probed"]] == ["ok"], result
    assert "through the proxy 127.0.0.1:3128" in result["notes"][0]["text"]
    assert "cret" not in str(result)
    api.wait(set_mirror(api, MIRROR, verify=("b", True)))
    host.run("docker", "pull", "hello-world")
    host.run("systemctl", "stop", "proxy.service")
    [found] = api.wait(probe(api, MIRROR))["probed"]
    assert (found["verdict"], found["step"]) == ("proxy", "v2")
    assert found["text"] == ("the proxy 127.0.0.1:3128 of Docker Engine refuses connections")
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, MIRROR, verify=("b", True)))
    assert caught.value.name == "org.dockmgr1.Error.MirrorUnreachable"
    assert found["text"] in caught.value.text
    host.path(PROXY_DROP_IN).unlink()
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "docker.service")
    assert verdicts(api, MIRROR) == {MIRROR: ("refused", "v2")}


def test_results_are_reported_while_other_probes_run(host: Host) -> None:
    host.internet.fault("token.bed.test", "hang", prefix="/v2/")
    api = Api(host)
    for seconds in PATIENCE:
        with api.watch() as changes:
            job = probe(api, TOKEN, MIRROR, timeout=("u", seconds))
            api.wait(job)
        reports = [changed["Result"]["probed"] for _, changed in changes if changed.get("Result")]
        if len(reports[0]) == 1:
            break
    assert [each["mirror"] for each in reports[0]] == [MIRROR]
    assert [each["mirror"] for each in reports[-1]] == [MIRROR, TOKEN]
    assert api.properties(job)["Kind"] == "probe"


def test_everybody_may_probe_what_the_admin_lists_and_no_more(host: Host) -> None:
    host.write(ADMIN_FILE, f"mirrors: {{{json.dumps(MIRROR)}: {{title: Ours}}}}\n")
    alice = Api(host, "alice")
    assert verdicts(alice, MIRROR, timeout=10) == {MIRROR: ("ok", "")}
    found = alice.wait(probe(alice))["probed"]
    assert found[0]["mirror"] == MIRROR, "the only one that this host can reach"
    for mirrors, options in (([MIRROR2], {}), ([MIRROR], {"timeout": ("u", 60)})):
        with pytest.raises(ApiError) as caught:
            probe(alice, *mirrors, **options)
        assert caught.value.name.endswith("InteractiveAuthorizationRequired")
    over_ssh = host.run("dockmgrctl", "probe", MIRROR2, user="alice", session=True, check=False)
    assert over_ssh.returncode == 4
    assert "org.dockmgr1.probe" in over_ssh.stderr


def test_probing_runs_beside_what_changes_the_host_and_is_bounded(host: Host) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=300_000)
    host.internet.fault("mirror.bed.test", "hang")
    api = Api(host)
    install = api.install()
    jobs = [probe(api, MIRROR, timeout=("u", seconds)) for seconds in (56, 57, 58, 59)]
    assert probe(api, MIRROR, timeout=("u", 56)) == jobs[0], "the same request joins"
    assert api.properties(install)["State"] == "running"
    jobs += [probe(api, MIRROR, timeout=("u", seconds)) for seconds in range(40, 48)]
    with pytest.raises(ApiError) as caught:
        probe(api, MIRROR, timeout=("u", 60))
    assert caught.value.name == "org.freedesktop.DBus.Error.LimitsExceeded"
    for job in reversed(jobs):  # those that wait for their turn first
        api.cancel(job)
        with pytest.raises(ApiError) as caught:
            api.wait(job)
        assert caught.value.name == "org.dockmgr1.Error.Cancelled"
    dry = api.wait(set_mirror(api, MIRROR2, dry_run=("b", True)))
    assert dry["changed"] is True
    with pytest.raises(ApiError) as caught:
        set_mirror(api, MIRROR2)
    assert caught.value.name == "org.dockmgr1.Error.Busy"
    api.cancel(install)


def test_the_command_line(engine_host: Host) -> None:
    host = engine_host
    shown = host.run("dockmgrctl", "probe", MIRROR, UNTRUSTED).stdout.splitlines()
    assert shown[0].split() == ["MIRROR", "RESULT", "LATENCY", "PULL", "SPEED", "DETAILS"]
    assert shown[1].split()[:2] == [MIRROR, "ok"]
    assert shown[2].split()[:2] == [UNTRUSTED, "untrusted"]
    host.run("dockmgrctl", "set-mirror", "--fastest", UNTRUSTED, MIRROR)
    assert active(host) == [MIRROR]
    host.run("dockmgrctl", "set-mirror", "--append", MIRROR2)
    host.run("dockmgrctl", "set-mirror", "--remove", MIRROR)
    mirrors = json.loads(host.run("dockmgrctl", "--json", "mirrors").stdout)
    assert mirrors == {
        "configured": [MIRROR2],
        "active": [MIRROR2],
        "drift": False,
        "running": True,
        "installed": True,
        "registries": [],
        "checks": [],
    }
    dry = host.run("dockmgrctl", "set-mirror", "--clear", "--dry-run").stdout
    assert f'-    "{MIRROR2}"' in dry
    none = host.run("dockmgrctl", "set-mirror", "--fastest", UNTRUSTED, check=False)
    assert none.returncode == 20
    assert "None of the mirrors works" in none.stderr
    assert active(host) == [MIRROR2]
    host.run("dockmgrctl", "set-mirror", "--clear")
    assert active(host) == []
