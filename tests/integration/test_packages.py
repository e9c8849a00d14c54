# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package worker without a job, on hosts: transactions and errors."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import debian, docker_packages, identity, repositories, sites, system
from bed.fixtures import EACH_DNF
from bed.suites import ARCH
from bed.workers import (
    ALL,
    MINIMAL,
    OFFICIAL,
    RECORD_LOCK,
    RPM_WRITES,
    done,
    holding,
    install,
    listing,
    outcome_of,
    use_source,
    work,
)
from dockmgrd.enums import Stage
from dockmgrd.host.rpmdb import OF_ENGINE_VERSION
from dockmgrd.worker.protocol import (
    Event,
    Outcome,
    ProgressEvent,
    RemovePackages,
    Request,
    WritingEvent,
)

if TYPE_CHECKING:
    from bed.host import Host
    from bed.suites import Suite

ALIYUN = f"https://{sites.ALIYUN}/docker-ce"
ERROR = "org.dockmgr1.Error."
STAGES_OF_INSTALL = [
    Stage.METADATA,
    Stage.RESOLVING,
    Stage.DOWNLOADING,
    Stage.CHECKING,
    Stage.INSTALLING,
]
pytestmark = EACH_DNF


def refused(host: Host, request: Request, error: str) -> str:
    """The message of the error with which the worker ends; nothing has changed on the host."""
    before = packages(host)
    outcome = outcome_of(host, request)
    assert outcome.error_name == ERROR + error, outcome.error_message
    assert not outcome.changed
    assert packages(host) == before
    return outcome.error_message


def packages(host: Host) -> list[str]:
    """Everything in rpm's database, the keys among it."""
    return sorted(host.run("rpm", "-qa").stdout.split())


def forget_keys(host: Host) -> None:
    host.run("rpm", "--erase", "--allmatches", "gpg-pubkey")


def needed_by_docker(host: Host) -> set[str]:
    """What docker-ce of the host's distribution needs beside Docker's own packages."""
    return {"container-selinux", "libcgroup"} if host.suite.dnf5 else {"container-selinux"}


def names_of(nevras: Sequence[str]) -> set[str]:
    return {nevra.rsplit("-", 2)[0] for nevra in nevras}


@dataclass(frozen=True)
class Versions:
    old: str
    new: str


@pytest.fixture
def versions(suite: Suite) -> Versions:
    """The two Docker versions in the stable channel."""
    old, new, _ = docker_packages.generations(debian.provide(suite) / "root.debs")
    return Versions(old.engine, new.engine)


def test_install_and_remove(host: Host) -> None:
    use_source(host)
    events = work(host, install())
    outcome = events[-1]
    assert isinstance(outcome, Outcome)
    assert names_of(outcome.installed) == {*ALL, *needed_by_docker(host)}
    assert outcome.download_bytes > 30_000_000
    check_progress(events, STAGES_OF_INSTALL)

    host.internet.forget_requests()
    assert work(host, install()) == [Outcome()]
    assert host.internet.requests() == [], "an installation without changes needs no network"

    use_source(host, ALIYUN)
    events = work(host, RemovePackages(names=ALL, allow_removals=False))
    outcome = events[-1]
    assert isinstance(outcome, Outcome)
    assert names_of(outcome.removed) == set(ALL), "and container-selinux stays"
    check_progress(events, [Stage.RESOLVING, Stage.REMOVING])
    assert not done(host, RemovePackages(names=ALL, allow_removals=False)).changed

    outcome = done(host, install(names=MINIMAL))
    assert names_of(outcome.installed) == set(MINIMAL)
    assert {request.host for request in host.internet.requests()} == {sites.ALIYUN}


def check_numbers(downloading: list[ProgressEvent]) -> None:
    """See that the figures beside the sentences are those of the download."""
    last = downloading[-1].numbers
    assert last.bytes_done == last.bytes_total > 10_000_000
    assert last.item == last.items > 1
    assert max(event.numbers.rate for event in downloading) > 0


def check_progress(events: list[Event], stages: list[Stage]) -> None:
    """See that the stages come in order, each with a fraction that moves and never goes back."""
    progress = [event for event in events if isinstance(event, ProgressEvent)]
    assert [stage for stage, _ in itertools.groupby(event.stage for event in progress)] == stages
    for stage in stages:
        fractions = [event.fraction for event in progress if event.stage is stage]
        assert fractions == sorted(fractions)
        assert 0.0 <= fractions[0] <= fractions[-1] <= 1.0
        if stage in (Stage.DOWNLOADING, Stage.INSTALLING):
            assert len(set(fractions)) > 10
    writing = [event.writing for event in events if isinstance(event, WritingEvent)]
    assert writing == [True, False]
    messages = [str(event.message) for event in progress]
    assert all("\n" not in message and len(message) < 60 for message in messages)
    if Stage.DOWNLOADING in stages:
        check_numbers([event for event in progress if event.stage is Stage.DOWNLOADING])


def test_versions(host: Host, versions: Versions) -> None:
    use_source(host)
    first = done(host, install(version=versions.old))
    assert f"docker-ce-3:{versions.old}-1.{host.suite.dist}.{ARCH}" in first.installed
    assert f"docker-ce-cli-1:{versions.old}-1.{host.suite.dist}.{ARCH}" in first.installed
    assert not done(host, install(version=versions.old)).changed
    assert not done(host, install()).changed, "no version asked for: the old one stays"
    up = done(host, install(version=versions.new))
    assert names_of(up.upgraded) == set(OF_ENGINE_VERSION)
    assert up.removed == ()
    down = done(host, install(version=f"{versions.old}-1.{host.suite.dist}"))
    assert names_of(down.downgraded) == set(OF_ENGINE_VERSION)
    message = refused(host, install(version="99.1"), "ResolutionFailed")
    assert f"docker-ce 99.1 is not in {OFFICIAL}/linux/" in message
    assert f"The nearest versions there are {versions.new}, {versions.old}." in message


def test_conflicting_packages_are_removed_only_with_consent(host: Host) -> None:
    host.run("dnf", "-y", "install", "podman-docker", "runc", "buildah")
    use_source(host)
    message = refused(host, install(), "ConflictingPackages")
    for name in ("podman-docker-4:5.4.0", "runc-4:1.2.4", "buildah-2:1.39.0"):
        assert name in message
    assert "(replace-conflicting)" in message
    outcome = done(host, install(names=MINIMAL, allow_removals=True))
    assert names_of(outcome.removed) == {"podman-docker", "runc", "buildah"}
    assert "podman" not in names_of(outcome.removed)


def test_obsoleted_packages_are_removed_only_with_consent(host: Host) -> None:
    """containerd.io obsoletes runc: the solver would take it away without a word."""
    host.run("dnf", "-y", "install", "runc")
    use_source(host)
    assert "remove runc-4:1.2.4" in refused(host, install(), "ConflictingPackages")


def test_dependent_packages_are_removed_only_with_consent(host: Host) -> None:
    use_source(host)
    done(host, install())
    cli = RemovePackages(names=("docker-ce-cli",), allow_removals=False)
    message = refused(host, cli, "ConflictingPackages")
    assert "docker-ce-3:" in message
    assert "docker-ce-rootless-extras-" in message
    assert "(force)" in message
    cli = RemovePackages(names=("docker-ce-cli",), allow_removals=True)
    expected = {"docker-ce-cli", "docker-ce", "docker-ce-rootless-extras"}
    assert names_of(done(host, cli).removed) == expected


def test_unresolvable_requests(host: Host) -> None:
    use_source(host)
    host.path("/etc/yum.repos.d/base.repo").unlink()
    message = refused(host, install(), "ResolutionFailed")
    assert "nothing provides container-selinux" in message
    host.write("/etc/dnf/dnf.conf", "[main]\nexcludepkgs=docker-ce\n")
    assert "excludepkgs" in refused(host, install(), "ResolutionFailed")
    use_source(host)
    host.run("cp", "/etc/yum.repos.d/docker-ce.repo", "/etc/yum.repos.d/another.repo")
    assert "another.repo also defines" in refused(host, install(), "ConfigConflict")


@pytest.mark.parametrize("site", [sites.UNSIGNED, sites.STRANGER])
def test_packages_without_our_signature(host: Host, site: str) -> None:
    use_source(host, f"https://{site}")
    forget_keys(host)
    message = refused(host, install(), "SignatureRejected")
    assert f"from https://{site}/linux/" in message
    assert identity.provide().fingerprint() in message
    assert "gpg-pubkey" not in "".join(packages(host))


@pytest.mark.parametrize("place", ["payload", "header"])
def test_a_damaged_package(host: Host, place: str) -> None:
    """The metadata is of the damaged file, so only the signature can tell."""
    directory = Path(host.suite.trees[0]) / ARCH / "stable"
    repository = host.path("/srv/damaged/linux") / directory
    shutil.copytree(repositories.provide(host.suite) / "docker/linux" / directory, repository)
    [package] = repository.glob("Packages/docker-compose-plugin-*.rpm")
    content = bytearray(package.read_bytes())
    content[-50 if place == "payload" else content.index(b"LGPL")] ^= 1
    package.write_bytes(content)
    subprocess.run(["createrepo_c", "--quiet", "--no-database", repository], check=True)
    use_source(host, "file:///srv/damaged")
    forget_keys(host)
    message = refused(host, install(), "SignatureRejected")
    assert message.startswith("docker-compose-plugin-")
    assert "gpg-pubkey" not in "".join(packages(host))


def test_the_keys_are_imported_once_all_is_checked(host: Host) -> None:
    use_source(host)
    forget_keys(host)
    message = refused(host, install(fingerprint="0" * 40), "SignatureRejected")
    assert system.KEY_FILE in message
    assert "0" * 40 in message
    done(host, install(names=MINIMAL))
    fingerprint = identity.provide().fingerprint()
    assert fingerprint[-8:].lower() in host.run("rpm", "-q", "gpg-pubkey").stdout


def test_a_source_that_cannot_be_used(host: Host) -> None:
    use_source(host)
    internet = host.internet
    internet.refuse(sites.DOCKER)
    message = refused(host, install(), "SourceUnreachable")
    assert f"The repository at {OFFICIAL}/linux/{host.suite.trees[0]}/" in message
    assert "connect" in message.lower()
    internet.clear()
    internet.unresolvable(sites.DOCKER)
    assert "resolve host" in refused(host, install(), "SourceUnreachable")
    internet.clear()
    internet.fault(sites.DOCKER, "status", value=404)
    assert "404" in refused(host, install(), "SourceUnreachable")
    internet.clear()
    internet.fault(sites.DOCKER, "damage", prefix=f"/linux/{host.suite.trees[0]}/{ARCH}/stable/P")
    assert "checksum doesn't match" in refused(host, install(), "SourceUnreachable")
    internet.clear()
    assert done(host, install()).changed


def test_metadata_of_the_source_is_refreshed(host: Host, versions: Versions) -> None:
    """dnf would take the metadata that it has for two days."""
    use_source(host)
    path = f"/linux/{host.suite.trees[0]}/{ARCH}"
    host.internet.fault(sites.DOCKER, "instead", prefix=f"{path}/stable", value=f"{path}/old")
    refused(host, install(version=versions.new), "ResolutionFailed")
    host.internet.clear()
    cache = "libdnf5" if host.suite.dnf5 else "dnf"
    for file in host.path(f"/var/cache/{cache}").glob("docker-ce-*/repodata/*"):
        a_minute_ago = file.stat().st_mtime - 60  # dnf counts the age in whole seconds
        os.utime(file, (a_minute_ago, a_minute_ago))
    assert done(host, install(names=MINIMAL, version=versions.new)).changed


def test_a_dead_repository_of_somebody_else_is_left_out(host: Host) -> None:
    use_source(host)
    text = "[elsewhere]\nname=Elsewhere\nbaseurl=https://nowhere.bed.test/\n"
    host.write("/etc/yum.repos.d/elsewhere.repo", text)
    outcome = done(host, install(names=MINIMAL))
    assert outcome.changed
    assert list(map(str, outcome.notes)) == [
        "The repository elsewhere did not answer and was skipped."
    ]


DNF4_READS = """
os.makedirs("/var/cache/dnf", exist_ok=True)
open("/var/cache/dnf/metadata_lock.pid", "w").write(str(os.getpid()))
"""
DNF4_WRITES = """
open("/var/lib/dnf/rpmdb_lock.pid", "w").write(str(os.getpid()))
"""
DNF5_WORKS = RECORD_LOCK.format(path="/var/lib/dnf/system-repo.lock")
DNF5_WRITES = RECORD_LOCK.format(path="/run/dnf/rpmtransaction.lock")


@pytest.mark.parametrize("when", ["read", "write", "rpm"])
def test_another_package_manager_at_work(host: Host, when: str) -> None:
    scripts = {
        "read": DNF5_WORKS if host.suite.dnf5 else DNF4_READS,
        "write": DNF5_WRITES if host.suite.dnf5 else DNF4_WRITES,
        "rpm": RPM_WRITES,
    }
    use_source(host)
    with holding(host, scripts[when]) as pid:
        message = refused(host, install(names=MINIMAL), "PackageManagerLocked")
        assert f"in use by process {pid} (python3 -c " in message
        begun = time.monotonic()
        refused(host, install(names=MINIMAL, lock_wait=2), "PackageManagerLocked")
        assert time.monotonic() - begun > 2
    assert done(host, install(names=MINIMAL)).changed


def test_listing_versions_does_not_wait(host: Host, versions: Versions) -> None:
    scripts = [DNF5_WORKS, DNF5_WRITES] if host.suite.dnf5 else [DNF4_READS, DNF4_WRITES]
    with ExitStack() as others:
        for script in (*scripts, RPM_WRITES):
            others.enter_context(holding(host, script))
        outcome = done(host, listing(host))
    engine = [each["evr"] for each in outcome.offered if each["name"] == "docker-ce"]
    assert engine == [f"3:{each}-1.{host.suite.dist}" for each in (versions.new, versions.old)]


def test_nobody_waits_for_who_lists_versions(host: Host) -> None:
    host.internet.fault(sites.DOCKER, "hang", prefix="/linux/")

    def install_something(_event: Event) -> None:
        if host.run("rpm", "-q", "crun", check=False).returncode != 0:
            host.run("dnf", "-y", "install", "crun")
            host.run("pkill", "--signal", "KILL", "--full", "dockmgrd.worker")

    events = work(host, listing(host), install_something)
    assert {type(event) for event in events} == {ProgressEvent}, "it was still at it"


LETS_GO = """
import threading
{lock}
os.mkfifo("/run/let-go")
def let_go():
    open("/run/let-go").read()
    {release}
threading.Thread(target=let_go).start()
"""


@pytest.mark.parametrize("how", ["by ending", "by letting go"])
@pytest.mark.parametrize("when", ["work", "rpm"])
def test_a_lock_is_waited_for(host: Host, when: str, how: str) -> None:
    """The worker continues when the holder has ended or released the lock, and starts again."""
    use_source(host)
    if when == "rpm" or host.suite.dnf5:
        lock = RPM_WRITES if when == "rpm" else DNF5_WORKS
        release = "fcntl.lockf(lock, fcntl.LOCK_UN)"
    else:
        lock, release = DNF4_WRITES, 'os.unlink("/var/lib/dnf/rpmdb_lock.pid")'
    reports = []
    with holding(host, LETS_GO.format(lock=lock, release=release)) as pid:

        def let_go(event: Event) -> None:
            if isinstance(event, ProgressEvent) and event.message.id == "waiting-for-lock":
                reports.append(str(event.message))
                if how == "by ending":
                    host.run("kill", "--signal", "KILL", str(pid))
                else:
                    host.run("sh", "-c", "echo > /run/let-go")

        outcome = work(host, install(names=MINIMAL, lock_wait=60), let_go)[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.changed, outcome.error_message
    assert len(reports) == 1


@pytest.mark.parametrize(
    ("folder", "size", "purpose"),
    [
        ("/var/cache", "200k", "to download"),
        ("/var/cache", "4m", "to download"),
        ("/usr/libexec/docker", "4k", "to install"),
    ],
)
def test_no_space(host: Host, folder: str, size: str, purpose: str) -> None:
    use_source(host)
    host.run("mkdir", "-p", folder)
    host.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    message = refused(host, install(), "InsufficientSpace")
    assert purpose in message
    assert f"Not enough space on the file system of {folder}" in message


def test_a_worker_that_is_killed_leaves_nothing_to_repair(host: Host) -> None:
    use_source(host)
    host.internet.fault(sites.DOCKER, "slow", prefix="/linux/", value=20_000_000)
    before = packages(host)
    for stage in (Stage.METADATA, Stage.DOWNLOADING):

        def kill(event: Event, stage: Stage = stage) -> None:
            if isinstance(event, ProgressEvent) and event.stage is stage and event.fraction > 0:
                host.run("pkill", "--signal", "KILL", "--full", "dockmgrd.worker", check=False)

        assert isinstance(work(host, install(), kill)[-1], ProgressEvent)
        assert packages(host) == before
    host.internet.clear()
    assert done(host, install()).changed


def test_signals_do_not_end_a_worker_that_writes(host: Host) -> None:
    use_source(host)

    def terminate(event: Event) -> None:
        if isinstance(event, ProgressEvent) and event.stage is Stage.INSTALLING:
            host.run("pkill", "--signal", "TERM", "--full", "dockmgrd.worker", check=False)
            host.run("pkill", "--signal", "INT", "--full", "dockmgrd.worker", check=False)

    outcome = work(host, install(names=MINIMAL), terminate)[-1]
    assert isinstance(outcome, Outcome)
    assert names_of(outcome.installed) == {*MINIMAL, *needed_by_docker(host)}


def test_files_that_rpm_cannot_write(host: Host) -> None:
    use_source(host)
    host.run("mkdir", "--parents", "/usr/bin/dockerd/in-the-way")
    outcome = outcome_of(host, install(names=MINIMAL))
    assert outcome.error_name == ERROR + "TransactionFailed"
    assert "docker-ce-3:" in outcome.error_message
    host.run("rm", "--recursive", "/usr/bin/dockerd")
    assert done(host, install(names=MINIMAL)).changed
