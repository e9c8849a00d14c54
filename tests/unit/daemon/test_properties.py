# SPDX-License-Identifier: LGPL-2.1-or-later
"""The values of the properties, and their declarations in the interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dockmgrd import names
from dockmgrd.bus import introspection
from dockmgrd.bus.dbusnext import Message, Variant
from dockmgrd.bus.variants import to_plain
from dockmgrd.daemon.engine_watch import Live
from dockmgrd.daemon.job_state import Job
from dockmgrd.daemon.properties import describe_job, describe_manager, describe_request
from dockmgrd.daemon.status import FileFacts, Status
from dockmgrd.enums import JobState, Kind
from dockmgrd.host.configured_mirrors import ConfiguredMirrors
from dockmgrd.host.docker_config import Repository
from dockmgrd.host.hosts_support import HostsSupport
from dockmgrd.host.hosts_toml import HostsToml
from dockmgrd.host.registry_folders import RegistryFile
from dockmgrd.model import JobRequest, JobResult

A, B = "https://a.example/", "https://b.example/"
OURS = RegistryFile(
    "ghcr.io", Path("/c/ghcr.io/hosts.toml"), b"x", HostsToml((A,), made_folder=True)
)
FOREIGN = RegistryFile("quay.io", Path("/c/quay.io/hosts.toml"), b"x", None)


def make_job(kind: Kind = Kind.INSTALL, **options: Any) -> Job:
    given = {key.replace("_", "-"): value for key, value in options.items()}
    return Job(JobRequest("20260101T000000_abcdef", kind, given, 1000, 1))


def check_types(interface: str, values: dict[str, Any]) -> None:
    """Each property is declared, and its value can be sent with that type."""
    declared = introspection.load(interface).properties
    assert values.keys() == declared.keys()
    for name, value in values.items():
        body = [Variant(declared[name].signature, value)]
        Message.new_signal("/a", "a.b", "C", "v", body)._marshall(False)


def make_status(live: Live, facts: FileFacts | None = None) -> Status:
    class Watch:
        pass

    watch: Any = Watch()
    watch.live = live
    nothing: Any = None
    return Status(watch, nothing, "CentOS 9", nothing, facts=facts or FileFacts())


@pytest.mark.parametrize(
    "job",
    [
        make_job(),
        make_job(lock_wait=60, dry_run=True, mirrors=[], source="a,b"),
        make_job(Kind.SET_MIRROR, mirrors=[A], mode="append"),
        make_job(Kind.PROBE, timeout=5, of_a_later_version="x"),
    ],
)
def test_every_property_of_a_job_is_declared(job: Job) -> None:
    check_types(names.JOB_INTERFACE, {**describe_request(job.request), **describe_job(job)})
    job.show_result(JobResult(JobState.DONE, 5, {"changed": True, "mirrors": [A]}))
    check_types(names.JOB_INTERFACE, {**describe_request(job.request), **describe_job(job)})


def test_a_job_shows_what_was_requested_with_the_types_of_the_verb() -> None:
    job = make_job(lock_wait=60, dry_run=True, mirrors=[A])
    values = describe_request(job.request)
    assert values["DryRun"] is True
    assert {key: each.signature for key, each in values["Options"].items()} == {
        "lock-wait": "u",
        "dry-run": "b",
        "mirrors": "as",
    }
    assert to_plain(values["Options"]) == dict(job.request.options)
    assert describe_request(make_job().request)["DryRun"] is False


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("repo-url", "https://me:secret@r.example/", "https://…@r.example/"),
        ("mirrors", ["https://me:secret@r.example/"], ["https://…@r.example/"]),
        ("later", "ftp://secret@r.example/", "ftp://…@r.example/"),
    ],
)
def test_credentials_in_options_are_not_shown(key: str, value: Any, shown: Any) -> None:
    request = JobRequest("20260101T000000_abcdef", Kind.INSTALL, {key: value}, 0, 1)
    assert to_plain(describe_request(request)["Options"]) == {key: shown}


def test_every_property_of_the_manager_is_declared() -> None:
    facts = FileFacts(
        packages={"docker-ce": "28.5.1-1"},
        configured=ConfiguredMirrors(("https://me:pw@A.example",)),
        repository=Repository("https://r/", "/etc/yum.repos.d/docker-ce.repo"),
        source="official",
        registries=(OURS, FOREIGN),
    )
    for live in (Live(), Live(True, "active", "28.5.1", (B,), answers=False)):
        for active in (None, make_job()):
            check_types(names.MANAGER_INTERFACE, describe_manager(make_status(live, facts), active))


def test_registries_and_whether_the_engine_uses_their_mirrors() -> None:
    facts = FileFacts(registries=(OURS, FOREIGN))
    used = make_status(Live(True, "active", "28.5.1"), facts)
    assert to_plain(describe_manager(used, None)["Registries"]) == [
        {"registry": "ghcr.io", "mirrors": [A], "file": "/c/ghcr.io/hosts.toml", "managed": True},
        {"registry": "quay.io", "mirrors": [], "file": "/c/quay.io/hosts.toml", "managed": False},
    ]
    assert used.problems == []
    for support, name in (
        (HostsSupport.CLASSIC_STORE, "classic-image-store"),
        (HostsSupport.OLD_ENGINE, "engine-without-hosts-files"),
    ):
        live = Live(True, "active", "28.5.1", hosts_support=support)
        [problem] = make_status(live, facts).problems
        assert (problem.id, problem.args["registry"]) == (name, ["ghcr.io"])
        assert problem.remedy is not None
        assert make_status(live, FileFacts(registries=(FOREIGN,))).problems == []


def test_problems_have_ids_and_remedies() -> None:
    facts = FileFacts(configured=ConfiguredMirrors((A,)))
    drifting = make_status(Live(True, "active", "28.5.1", (B,)), facts)
    silent = make_status(Live(True, "active", "28.5.1", (A,), answers=False), facts)
    failed = make_status(Live(True, "failed"), facts)
    problems = [
        to_plain(describe_manager(status, None)["Problems"])
        for status in (drifting, silent, failed)
    ]
    assert [[each["id"] for each in of_one] for of_one in problems] == [
        ["mirrors-differ"],
        ["engine-silent"],
        ["engine-failed"],
    ]
    assert [each["remedy"]["command"] for of_one in problems for each in of_one] == [
        "systemctl reload docker",
        "systemctl status docker",
        "journalctl -u docker",
    ]
    assert describe_manager(drifting, None)["MirrorsDrift"] is True
    assert describe_manager(silent, None)["MirrorsDrift"] is False
