# SPDX-License-Identifier: LGPL-2.1-or-later
"""The job checks its authorization again, because the host can change in the meantime."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockmgrd import actions, paths
from dockmgrd.codec import decode_record, encode_record
from dockmgrd.enums import Kind
from dockmgrd.errors import AccessDenied
from dockmgrd.host import adminconfig, hosts_toml
from dockmgrd.host.hosts_toml import Endpoint
from dockmgrd.job import process
from dockmgrd.messages.text import Text
from dockmgrd.model import JobRequest
from dockmgrd.options.parsing import parse_options

OURS = "https://mirror.example/"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "DAEMON_JSON", tmp_path / "daemon.json")
    monkeypatch.setattr(paths, "REGISTRY_CERTIFICATES", tmp_path / "certs.d")

    def load() -> tuple[adminconfig.Limits, Text]:
        return real(tmp_path / "dockmgrd.yaml", tmp_path / "good")

    real = adminconfig.load
    monkeypatch.setattr(adminconfig, "load", load)
    return tmp_path


def request(kind: Kind, given: dict[str, Any], *, uid: int = 1000) -> JobRequest:
    asked = actions.find_authorizations(parse_options(kind, given), actions.KnownMirrors())
    answered = asked
    return JobRequest("20260101T000000_abcdef", kind, given, uid, 1, answered)


def check(job: JobRequest) -> None:
    job = decode_record(JobRequest, encode_record(job))
    process.check_permission(job, parse_options(job.kind, job.options))


def test_requests_with_the_granted_authorizations() -> None:
    check(request(Kind.SET_MIRROR, {"mirrors": [OURS], "mode": "append"}))
    check(request(Kind.INSTALL, {"version": "28.5.1", "mirrors": [OURS]}))
    check(request(Kind.UNINSTALL, {"purge-data": True}))
    check(request(Kind.LIST_VERSIONS, {}))


def test_a_list_that_another_has_changed_meanwhile(files: Path) -> None:
    job = request(Kind.SET_MIRROR, {"mirrors": [OURS], "mode": "append"})
    (files / "daemon.json").write_text('{"registry-mirrors": ["http://evil.example"]}')
    with pytest.raises(AccessDenied, match="The host changed after polkit"):
        check(job)
    check(request(Kind.SET_MIRROR, {"mirrors": [OURS], "mode": "append"}, uid=0))


def test_a_host_that_the_administrator_has_taken_off_the_list(files: Path) -> None:
    job = request(Kind.SET_MIRROR, {"mirrors": [OURS]})
    (files / "dockmgrd.yaml").write_text("allowed-mirrors: [other.example]")
    with pytest.raises(AccessDenied, match="set-mirror-insecure"):
        check(job)


def test_a_list_of_another_registry_that_has_changed_meanwhile(files: Path) -> None:
    given = {"mirrors": [OURS], "mode": "append", "registry": "ghcr.io"}
    job = request(Kind.SET_MIRROR, given)
    check(job)
    path = files / "certs.d/ghcr.io/hosts.toml"
    path.parent.mkdir(parents=True)
    mirrors = [Endpoint("http://evil.example/")]
    path.write_bytes(hosts_toml.render("ghcr.io", Endpoint(), mirrors, made_folder=True))
    with pytest.raises(AccessDenied, match="The host changed after polkit"):
        check(job)


def test_a_host_that_is_taken_off_the_list_of_one_registry(files: Path) -> None:
    limits = "allowed-mirrors: {docker.io: [mirror.example], ghcr.io: []}"
    (files / "dockmgrd.yaml").write_text(limits)
    check(request(Kind.SET_MIRROR, {"mirrors": [OURS]}))
    with pytest.raises(AccessDenied, match="set-mirror-insecure"):
        check(request(Kind.SET_MIRROR, {"mirrors": [OURS], "registry": "ghcr.io"}))


def test_a_source_that_is_not_allowed_any_more(files: Path) -> None:
    (files / "dockmgrd.yaml").write_text("allowed-sources: [tuna]")
    for uid in (0, 1000):
        with pytest.raises(AccessDenied, match="'aliyun' is not allowed"):
            check(request(Kind.INSTALL, {"source": "aliyun"}, uid=uid))


@pytest.mark.parametrize(
    "more",
    [
        {"mirrors": []},
        {"mirrors": [OURS]},
        {"channel": "test"},
        {"platform": "fedora/43"},
        {"version": ""},
        {"replace-conflicting": True},
        {"repo-url": "https://r.example/"},
    ],
)
def test_an_installation_that_does_more_than_was_granted(more: dict[str, Any]) -> None:
    job = request(Kind.INSTALL, {"version": "28.5.1"})
    with pytest.raises(AccessDenied):
        check(replace(job, options={**job.options, **more}))


def test_a_dry_run_that_verifies_mirrors_of_the_host(files: Path) -> None:
    (files / "daemon.json").write_text(json.dumps({"registry-mirrors": [OURS]}))
    given = {"mirrors": [OURS], "dry-run": True, "verify": True}
    check(replace(request(Kind.SET_MIRROR, given), granted=()))
    (files / "daemon.json").unlink()
    with pytest.raises(AccessDenied, match="probe"):
        check(replace(request(Kind.SET_MIRROR, given), granted=()))


def test_a_request_file_that_says_more_than_was_granted() -> None:
    job = request(Kind.SET_MIRROR, {"mirrors": [OURS]})
    forged = JobRequest(
        job.job_id, job.kind, {"mirrors": ["http://x.example"]}, 1000, 1, job.granted
    )
    with pytest.raises(AccessDenied):
        check(forged)
