# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mirror watch on a host: its timer exists only where it is on, and its service does a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api, ApiError
from dockmgrd import names
from integration.mirror_hosts import (
    DAEMON_JSON,
    MIRROR,
    MIRROR2,
    TOKEN,
    active,
    engine_host,
    set_mirror,
)
from integration.registry_hosts import HOSTS, set_for
from integration.waiting import until_logged

if TYPE_CHECKING:
    from bed.host import Host

__all__ = ["engine_host"]

DEAD = "https://unsigned.bed.test/"
SETTINGS = "/etc/dockmgrd/dockmgrd.yaml"
WATCH = "mirror-watch: {every: 6h}\n"
TIMER, UNIT = "dockmgrd-mirror-watch.timer", "dockmgrd-mirror-watch.service"


ALLOW_UNUSED = ("b", True)
EDITED = "/srv/edited"

# A job whose request is to set mirrors is preceded by an edit of the administrator.
EDIT_BEFORE_JOB = """[Service]
ExecStartPre=/bin/sh -ec 'if grep -q set-mirror /var/lib/dockmgrd/jobs/%i/request.json; \
  then cat {edited} >{file}; fi'
"""


def edit_before_job(host: Host, file: str, text: str) -> None:
    """Edit the file each time between the request of a job that sets mirrors and its start."""
    host.write(EDITED, text)
    unit = "/etc/systemd/system/dockmgrd-job@.service.d/edit.conf"
    host.write(unit, EDIT_BEFORE_JOB.format(edited=EDITED, file=file))
    host.run("systemctl", "daemon-reload")


def outcomes(host: Host) -> dict[str, str]:
    """Return how the last run ended for each registry."""
    record = json.loads(host.read("/var/lib/dockmgrd/mirror-watch.json"))
    return {each["registry"]: each["outcome"] for each in record["registries"]}


def journal(host: Host) -> str:
    """Return what the watch has said in the journal."""
    entries = host.journal(_SYSTEMD_UNIT=UNIT)
    return "\n".join(str(each["MESSAGE"]) for each in entries)


def show(host: Host, unit: str, value: str) -> str:
    return host.run("systemctl", "show", unit, "-P", value).stdout.strip()


def run_watch(host: Host) -> None:
    host.run("systemctl", "start", UNIT)


def traffic(host: Host) -> list[str]:
    """Return the counters of all network devices."""
    return host.run("cat", "/proc/net/dev").stdout.splitlines()


def problems(api: Api) -> list[str]:
    return [each["id"] for each in api.call("Status")["problems"]]


def fix_watch(host: Host, api: Api) -> None:
    """Do what the remedy of the problem says, and expect it to help."""
    [problem] = api.call("Status")["problems"]
    host.run("sh", "-ec", problem["remedy"]["command"])
    assert show(host, TIMER, "ActiveState") == "active"
    assert problems(api) == []


@pytest.mark.suites("bookworm", "forky")
def test_the_timer_exists_only_when_it_is_configured(host: Host) -> None:
    api = Api(host)
    api.call("Status")
    assert show(host, TIMER, "LoadState") == "not-found"
    host.write(SETTINGS, WATCH)
    api.call("Status")
    assert show(host, TIMER, "ActiveState") == "active"
    assert TIMER in host.run("systemctl", "list-timers", "--all").stdout
    assert "6h" in show(host, TIMER, "TimersMonotonic")
    host.write(SETTINGS, "mirror-watch: {every: 30min}\n")
    api.call("Status")
    assert "30min" in show(host, TIMER, "TimersMonotonic")
    host.run("systemctl", "daemon-reload")
    assert TIMER in show(host, "timers.target", "Wants"), "it starts at boot"
    units = (f"/run/systemd/generator/{TIMER}", f"/usr/lib/systemd/system/{UNIT}")
    host.run("systemd-analyze", "verify", "--man=no", *units)
    host.run("rm", SETTINGS)
    api.call("Status")
    assert show(host, TIMER, "LoadState") == "not-found"
    assert show(host, TIMER, "ActiveState") == "inactive"


@pytest.mark.suites("bookworm", "forky")
def test_a_timer_that_does_not_run_is_a_problem(host: Host) -> None:
    api = Api(host)
    host.run("systemctl", "mask", TIMER)
    host.write(SETTINGS, WATCH)
    assert problems(api) == ["watch-masked"]
    host.run("systemctl", "restart", "dockmgrd.service")
    assert problems(api) == ["watch-masked"], "whoever tried to start it"
    fix_watch(host, api)
    host.run("systemctl", "stop", TIMER)
    assert problems(api) == ["watch-not-started"]
    fix_watch(host, api)
    host.run("rm", SETTINGS)
    assert problems(api) == []


@pytest.mark.suites("forky")
def test_a_reload_that_systemd_refuses_is_a_problem(host: Host) -> None:
    api = Api(host)
    api.call("Status")
    limit = "/etc/systemd/system.conf.d/limit.conf"
    host.write(limit, "[Manager]\nReloadLimitIntervalSec=1h\nReloadLimitBurst=1\n")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "daemon-reload", check=False)
    host.write(SETTINGS, WATCH)
    assert problems(api) == ["watch-refused"]
    assert show(host, TIMER, "ActiveState") == "inactive"
    host.run("rm", limit)
    host.run("kill", "1")  # systemd executes itself again, and no limit holds for that
    until_logged(host, "Reexecuting")
    host.run("sh", "-c", "until systemctl is-system-running --wait; do :; done")
    fix_watch(host, api)


@pytest.mark.suites("bookworm", "forky")
def test_no_traffic_when_it_is_off(host: Host) -> None:
    host.write("/etc/docker/daemon.json", json.dumps({"registry-mirrors": [MIRROR]}))
    before = traffic(host)
    api = Api(host)
    api.call("Status")
    assert TIMER not in host.run("systemctl", "list-timers", "--all").stdout
    run_watch(host)
    api.call("Status")
    assert traffic(host) == before


@pytest.mark.suites("bookworm", "forky")
def test_a_dead_first_mirror_loses_its_place_after_two_runs(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.internet.refuse("unsigned.bed.test")
    api.wait(set_mirror(api, DEAD, MIRROR2, MIRROR))
    host.write(SETTINGS, WATCH)
    pid = show(host, "docker.service", "MainPID")
    host.run("docker", "pull", "tiny")
    host.run(
        "docker", "run", "--detach", "--name=steady", "--network=none", "tiny", "sleep", "infinity"
    )
    run_watch(host)
    assert active(host) == [DEAD, MIRROR2, MIRROR]
    run_watch(host)
    assert active(host) == [MIRROR2, MIRROR, DEAD]
    assert host.run("docker", "ps", "--quiet").stdout.strip()
    assert show(host, "docker.service", "MainPID") == pid
    run_watch(host)
    assert active(host) == [MIRROR2, MIRROR, DEAD]
    assert host.journal(MESSAGE_ID=names.MESSAGE_MIRRORS_REORDERED)
    jobs = json.loads(host.run("dockmgrctl", "--json", "jobs").stdout)
    assert [each["kind"] for each in jobs].count("set-mirror") == 2
    assert "dockmgrd" in host.run("dockmgrctl", "jobs").stdout
    table = host.run("dockmgrctl", "mirrors").stdout
    assert "min ago" in table, table


@pytest.mark.suites("bookworm")
def test_a_problem_while_no_mirror_works(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    api.wait(set_mirror(api, MIRROR))
    host.write(SETTINGS, WATCH)
    before = host.read("/etc/docker/daemon.json")
    host.internet.refuse("mirror.bed.test")
    for _ in range(3):
        run_watch(host)
        assert "no-mirror-of-registry-works" in problems(api)
    assert host.read("/etc/docker/daemon.json") == before
    assert len(host.journal(MESSAGE_ID=names.MESSAGE_NO_MIRROR_WORKS)) == 1
    host.internet.clear()
    run_watch(host)
    assert "no-mirror-of-registry-works" not in problems(api)
    host.run("systemctl", "stop", "docker.service", "docker.socket")
    run_watch(host)
    checks: list[dict[str, Any]] = api.call("Status")["mirror-checks"]
    assert [each["outcome"] for each in checks] == ["engine-stopped"]


@pytest.mark.suites("bookworm")
def test_a_record_that_is_not_readable_is_none(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    api.wait(set_mirror(api, MIRROR))
    host.write(SETTINGS, WATCH)
    for content in ("{", "[]", '{"registries": [{"registry": 1}]}', '{"version": 99}'):
        host.write("/var/lib/dockmgrd/mirror-watch.json", content)
        assert api.call("Status")["mirror-checks"] == []
    run_watch(host)
    assert [each["verdict"] for each in api.call("Status")["mirror-checks"]] == ["ok"]


@pytest.mark.suites("bookworm")
def test_an_edit_between_decision_and_job_wins(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.internet.refuse("unsigned.bed.test")
    api.wait(set_mirror(api, DEAD, MIRROR2, MIRROR))
    host.write(SETTINGS, WATCH)
    run_watch(host)
    edited = json.dumps({"registry-mirrors": [MIRROR, DEAD, MIRROR2], "debug": True})
    edit_before_job(host, DAEMON_JSON, edited)
    run_watch(host)
    assert host.read(DAEMON_JSON) == edited
    assert active(host) == [DEAD, MIRROR2, MIRROR], "the engine was not reloaded"
    assert outcomes(host) == {"docker.io": "list-changed"}
    assert "names other mirrors than the request expects" in journal(host)
    run_watch(host)
    assert outcomes(host) == {"docker.io": "works"}, "the first mirror of the edited list"


@pytest.mark.suites("bookworm")
def test_a_request_says_which_mirrors_it_expects(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    api.wait(set_mirror(api, MIRROR, expected=("as", [])))
    before = host.read(DAEMON_JSON)
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, MIRROR2, expected=("as", [MIRROR2])))
    assert caught.value.name == names.ERROR_PREFIX + "ConfigConflict"
    assert host.read(DAEMON_JSON) == before
    unused = {"allow_unused": ALLOW_UNUSED}
    set_for(host, "ghcr.io", MIRROR, expected=("as", []), **unused)
    with pytest.raises(ApiError, match="than the request expects"):
        set_for(host, "ghcr.io", MIRROR2, expected=("as", []), **unused)
    result = set_for(host, "ghcr.io", MIRROR2, expected=("as", [MIRROR]), **unused)
    assert result["mirrors"] == [MIRROR2]


@pytest.mark.suites("bookworm")
def test_another_job_is_not_disturbed(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.internet.refuse("unsigned.bed.test")
    api.wait(set_mirror(api, DEAD, MIRROR))
    host.write(SETTINGS, WATCH)
    run_watch(host)
    host.internet.fault("download.docker.com", "hang")
    install = api.install(upgrade=("b", True))
    run_watch(host)
    assert outcomes(host) == {"docker.io": "busy"}
    assert install.rpartition("/")[2] in journal(host)
    assert "The next run tries again." in journal(host)
    assert active(host) == [DEAD, MIRROR]
    api.cancel(install)
    run_watch(host)
    assert outcomes(host) == {"docker.io": "reordered"}
    assert active(host) == [MIRROR, DEAD]


@pytest.mark.suites("bookworm")
def test_the_mirrors_of_a_second_registry(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.internet.refuse("unsigned.bed.test")
    images = "images: {ghcr.io: {image: 'library/hello-world:latest'}}\n"
    host.write("/etc/dockmgrd/mirrors.d/bed.yaml", images)
    api.wait(set_mirror(api, MIRROR))
    set_for(host, "ghcr.io", DEAD, MIRROR2, allow_unused=ALLOW_UNUSED)
    host.write(SETTINGS, "mirror-watch: {every: 6h, registries: [ghcr.io]}\n")
    run_watch(host)
    assert outcomes(host) == {"docker.io": "works", "ghcr.io": "first-failed"}
    run_watch(host)
    assert outcomes(host) == {"docker.io": "works", "ghcr.io": "reordered"}
    [shown] = api.status()["registries"]
    assert shown["mirrors"] == [MIRROR2, DEAD]
    assert active(host) == [MIRROR]
    checks = {(each["registry"], each["mirror"]): each for each in api.status()["mirror-checks"]}
    assert checks["ghcr.io", MIRROR2]["verdict"] == "ok"
    assert checks["ghcr.io", DEAD]["verdict"] == "refused"

    # The administrator edits hosts.toml between the decision and the job.
    set_for(host, "ghcr.io", DEAD, MIRROR2, allow_unused=ALLOW_UNUSED)
    run_watch(host)
    edited = f"# mine\n{host.read(HOSTS)}"
    edit_before_job(host, HOSTS, edited)
    run_watch(host)
    assert host.read(HOSTS) == edited
    assert outcomes(host)["ghcr.io"] == "list-changed"


@pytest.mark.suites("bookworm")
def test_a_candidate_needs_the_list_of_the_administrator(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.internet.refuse("unsigned.bed.test")
    candidates = f"mirrors: {{{TOKEN!r}: {{}}, {MIRROR2!r}: {{}}}}\n"
    host.write("/etc/dockmgrd/mirrors.d/bed.yaml", candidates)
    api.wait(set_mirror(api, DEAD))
    watch = "mirror-watch: {every: 6h, choose-from: candidates}\n"
    host.write(SETTINGS, f"{watch}allowed-mirrors: [unsigned.bed.test]\n")
    host.internet.forget_requests()
    for _ in range(3):
        run_watch(host)
    assert outcomes(host) == {"docker.io": "none-works"}
    assert active(host) == [DEAD]
    assert host.internet.requests() == []
    host.write(SETTINGS, f"{watch}allowed-mirrors: [unsigned.bed.test, mirror2.bed.test]\n")
    run_watch(host)
    assert active(host) == [MIRROR2, DEAD]
    assert outcomes(host) == {"docker.io": "reordered"}
    assert {each.host for each in host.internet.requests()} == {"mirror2.bed.test"}
