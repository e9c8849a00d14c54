# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon works if the state folder is full, read-only, out of inodes or has odd entries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api, ApiError
from bed.fixtures import EVERYWHERE

if TYPE_CHECKING:
    from bed.host import Host

STATE = "/var/lib/dockmgrd"
JOBS = f"{STATE}/jobs"
A, B = "https://a.example/", "https://b.example/"
OURS = "org.dockmgr1.Error."
INTERNAL = "An unexpected error"

# Every job waits for /run/go.
_GATE = """[Service]
ExecStart=
ExecStart=/bin/sh -c 'until [ -e /run/go ]; do sleep 0.05; done; \\
    exec /usr/bin/python3 -IB -m dockmgrd.job %i'
"""

# How to make the folder unwritable, and writable again.
_WAYS = {
    "full": (
        "size=160k",
        f"dd if=/dev/zero of={STATE}/fill bs=4k 2>/dev/null || test -s {STATE}/fill",
        f"rm {STATE}/fill",
        "InsufficientSpace",
    ),
    "out of inodes": (
        "size=1m,nr_inodes=16",
        f"i=0; while mkdir {STATE}/fill$i 2>/dev/null; do i=$((i+1)); done",
        f"rmdir {STATE}/fill*",
        "InsufficientSpace",
    ),
    "read-only": (
        "size=1m",
        f"mount -o remount,ro {STATE}",
        f"mount -o remount,rw {STATE}",
        "WriteFailed",
    ),
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_folder_that_cannot_be_written_stops_nothing_but_new_jobs(host: Host, way: str) -> None:
    options, spoil, repair, error = _WAYS[way]
    api = Api(host)
    with_gate(host)
    host.run("systemctl", "stop", "dockmgrd.service")
    host.run("mkdir", "-p", "-m", "700", STATE)
    host.run("mount", "-t", "tmpfs", "-o", f"{options},mode=700", "state", STATE)
    host.write(f"{STATE}/lock", "", mode=0o600)
    job = api.set_mirror(A)
    host.run("sh", "-c", spoil)
    host.write("/run/go", "")

    assert api.wait(job)["mirrors"] == [A], "the job ends, and its result is not lost"
    assert api.properties(job)["State"] == "done"
    assert api.status()["active-job"] == "/"
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            api.set_mirror(B)
        assert caught.value.name == OURS + error, caught.value
        assert INTERNAL not in caught.value.text
        assert Api(host, "alice").status()["mirrors-configured"] == [A]
        # The next daemon finds the folder as it is, and starts.
        host.run("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", "dockmgrd.service")
    assert api.properties(job)["State"] == "done", "also for the next daemon"

    host.run("sh", "-c", repair)
    if way == "read-only":
        # What was read-only when a service started stays so in its mount namespace.
        host.run("systemctl", "stop", "dockmgrd.service")
    assert api.wait(api.set_mirror(B))["mirrors"] == [B]
    assert no_incident(host)


def test_a_job_that_is_killed_while_the_folder_is_full_has_ended(host: Host) -> None:
    options, spoil, repair, _ = _WAYS["full"]
    api = Api(host)
    with_gate(host)
    host.run("systemctl", "stop", "dockmgrd.service")
    host.run("mkdir", "-p", "-m", "700", STATE)
    host.run("mount", "-t", "tmpfs", "-o", f"{options},mode=700", "state", STATE)
    host.write(f"{STATE}/lock", "", mode=0o600)
    job = api.set_mirror(A)
    host.run("sh", "-c", spoil)
    host.run("systemctl", "kill", "--signal=SIGKILL", f"dockmgrd-job@{job.rpartition('/')[2]}")
    with pytest.raises(ApiError, match="Interrupted"):
        api.wait(job)
    assert api.properties("/org/dockmgr1", "org.dockmgr1.Manager")["State"] == "idle"
    host.run("sh", "-c", repair)
    host.write("/run/go", "")
    assert api.wait(api.set_mirror(B))["mirrors"] == [B]


@EVERYWHERE
def test_odd_entries_keep_nobody_from_being_served(host: Host) -> None:
    api = Api(host)
    job = api.set_mirror(A)
    api.wait(job)
    host.run("systemctl", "stop", "dockmgrd.service")
    for number, script in enumerate(
        [
            "touch {0}",
            "mkdir {0}",
            "ln -s / {0}",
            "mkfifo {0}",
            "mkdir {0}; printf '%0100000d' 0 | tr 0 '[' > {0}/request.json",
            "cp -r {1} {0}; mkdir {0}/request.json.d; rm {0}/request.json; mkfifo {0}/request.json",
            "cp -r {1} {0}; printf '%0100000d' 0 | tr 0 '[' > {0}/result.json",
            "cp -r {1} {0}; rm {0}/result.json; ln -s /dev/zero {0}/result.json",
        ]
    ):
        folder = f"{JOBS}/20260101T00000{number}_abcdef"
        host.run("sh", "-c", script.format(folder, f"{JOBS}/{job.rpartition('/')[2]}"))
    request = json.loads(host.read(f"{JOBS}/{job.rpartition('/')[2]}/request.json"))
    result = json.loads(host.read(f"{JOBS}/{job.rpartition('/')[2]}/result.json"))
    for number, changes in enumerate(odd_results(), start=10):
        folder = f"{JOBS}/20260101T0000{number}_abcdef"
        host.write(f"{folder}/request.json", json.dumps(request))
        host.write(f"{folder}/result.json", json.dumps({**result, **changes}))

    assert Api(host, "alice").status()["mirrors-configured"] == [A]
    assert api.properties(job)["State"] == "done"
    path = "/org/dockmgr1/job/20260101T000010_abcdef"
    with pytest.raises(ApiError, match="not readable"):
        api.wait(path)
    assert api.wait(api.set_mirror(B))["mirrors"] == [B]
    assert no_incident(host)


def odd_results() -> list[dict[str, Any]]:
    return [
        {"result": {"version": None}},
        {"result": {"x": [[1], [2]]}},
        {"result": {"x": 2**70}},
        {"result": {"x": "\ud800"}},
        {"finished_at": -1},
        {"state": "resting"},
        {"error": 5},
    ]


def test_a_second_daemon_says_a_sentence_and_touches_nothing(host: Host) -> None:
    with_gate(host)
    api = Api(host)
    job = api.set_mirror(A)
    before = host.run("find", STATE, "-printf", "%p %T@\n").stdout
    for user in (None, "alice"):
        done = host.run("/usr/bin/python3", "-IB", "-m", "dockmgrd.daemon", user=user, check=False)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert done.stderr.strip().endswith(".")
    assert host.run("find", STATE, "-printf", "%p %T@\n").stdout == before
    host.write("/run/go", "")
    assert api.wait(job)["mirrors"] == [A]


def with_gate(host: Host) -> None:
    host.write("/run/systemd/system/dockmgrd-job@.service.d/gate.conf", _GATE)
    host.run("systemctl", "daemon-reload")


def no_incident(host: Host) -> bool:
    """Whether nothing unexpected has happened, as the journal has it."""
    return not host.journal(MESSAGE_ID="f5f198896f064f3ca0af24b2e7e3e265")
