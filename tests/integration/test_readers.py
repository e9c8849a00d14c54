# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unprivileged users do not use up slots or results of others, and cancel no jobs of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from integration.callers import hold_jobs
from integration.waiting import until_logged

if TYPE_CHECKING:
    from bed.host import Host

SOURCES = ("aliyun", "tencent", "netease", "huaweicloud", "tuna", "ustc")


def versions(api: Api, source: str) -> str:
    return str(api.call("ListVersions", "a{sv}", {"source": ("s", source)}))


@pytest.mark.suites("bookworm", "trixie")
def test_strangers_leave_room_for_root_and_wait_for_each_other(host: Host) -> None:
    hold_jobs(host)
    host.run("useradd", "carol")
    host.run("useradd", "dave")
    root = Api(host)
    running = [
        versions(Api(host, user), source)
        for user, source in zip(("bob", "bob", "carol", "carol"), SOURCES)
    ]
    waiting = [versions(Api(host, "dave"), source) for source in SOURCES[4:]]
    assert [root.properties(job)["MessageId"] for job in waiting] == ["job-waits"] * 2
    own = root.call("ListVersions", "a{sv}", {"channel": ("s", "test")})
    probe = root.call("ProbeMirrors", "asa{sv}", [], {})
    for job in (own, probe, *running):
        assert root.properties(job)["MessageId"] != "job-waits"
        assert host.run("systemctl", "is-active", root.properties(job)["Unit"]).stdout

    # What waits is a job like any other, for the next daemon, too.
    host.run("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", "dockmgrd.service")
    assert root.properties(waiting[0])["MessageId"] == "job-waits"
    Api(host, "bob").cancel(running[0])
    until_logged(host, f"Job {waiting[0].rpartition('/')[2]} (versions)", "-t", "dockmgrd")
    assert host.run("systemctl", "is-active", root.properties(waiting[0])["Unit"]).stdout
    Api(host, "dave").cancel(waiting[1])
    assert root.properties(waiting[1])["State"] == "cancelled"


@pytest.mark.suites("bookworm", "trixie")
def test_nobody_ends_a_job_that_others_wait_for(host: Host) -> None:
    hold_jobs(host)
    bob, alice, root = Api(host, "bob"), Api(host, "alice"), Api(host)
    job = versions(bob, "official")
    assert versions(root, "official") == job
    assert versions(alice, "official") == job
    for stranger in (bob, alice):
        with pytest.raises(ApiError) as caught:
            stranger.cancel(job)
        assert caught.value.name == "org.dockmgr1.Error.NotCancellable"
        assert "0" in caught.value.text
    assert root.properties(job)["State"] == "running"
    [entry, _] = host.journal(DOCKMGR_RESULT="joined")
    assert entry["DOCKMGR_CALLER_UID"] == "0"
    with pytest.raises(ApiError):
        bob.cancel(job)
    root.cancel(job)
    assert root.properties(job)["State"] != "running"
