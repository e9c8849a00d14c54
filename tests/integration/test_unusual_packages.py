# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unusual settings of the package manager: errors name the true cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed import debs, layers, sites
from bed.api import Api, ApiError
from bed.suites import BOOKWORM, FORKY
from bed.workers import install, outcome_of, use_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite

pytestmark = pytest.mark.suites(BOOKWORM.name, FORKY.name)
DRY_RUN = ("b", True)
TRUE = ("b", True)
DNF_CONF = "/etc/dnf/dnf.conf"
OTHER = "/etc/yum.repos.d/other.repo"
LOCKS_OF_DNF5 = """\
version = "1.0"
[[packages]]
name = "docker-ce"
[[packages.conditions]]
key = "evr"
comparator = "="
value = "3:1.2.3-1"
"""


def find_refusal(api: Api, job: str, error: str) -> tuple[str, str]:
    """The sentence of the error with which the job must end, and the command of its remedy."""
    with pytest.raises(ApiError) as caught:
        api.wait(job)
    assert caught.value.name == f"org.dockmgr1.Error.{error}", caught.value
    remedy = api.properties(job)["ErrorDetails"].get("remedy", {})
    return caught.value.text, remedy.get("command", "")


def plan(api: Api, **options: tuple[str, object]) -> str:
    """Begin a dry run that may try a second source."""
    return api.install(dry_run=DRY_RUN, source=("s", "official,aliyun"), **options)


def add_to_configuration(host: Host, line: str) -> str:
    """Add a line to dnf.conf; returns what it was before."""
    before = host.read(DNF_CONF)
    host.write(DNF_CONF, f"{before.rstrip()}\n{line}\n")
    return before


@pytest.mark.parametrize(
    "setting", ["excludepkgs=docker-ce*", "excludepkgs=containerd.io", "includepkgs=bash"]
)
def test_an_exclude_is_named(host: Host, setting: str) -> None:
    add_to_configuration(host, setting)
    api = Api(host)
    text, command = find_refusal(api, plan(api), "ResolutionFailed")
    assert "'excludepkgs' or 'includepkgs' hides it" in text
    assert setting in host.run("sh", "-c", command).stdout
    assert host.internet.requests(sites.ALIYUN) == [], "no other source is tried"


def test_an_exclude_of_a_dependency_is_named(host: Host) -> None:
    add_to_configuration(host, "excludepkgs=container-selinux")
    api = Api(host)
    text, command = find_refusal(api, plan(api), "ResolutionFailed")
    assert "container-selinux" in text
    assert "Enable the repository" not in text
    assert "container-selinux" in host.run("sh", "-c", command).stdout


def test_a_version_lock_is_named(new_host: NewHost, suite: Suite) -> None:
    ours = layers.ours(suite)
    host = new_host(ours if suite.dnf5 else debs.with_packages(suite, ours, "dnf-plugins-core"))
    use_source(host)
    if suite.dnf5:
        host.write("/etc/dnf/versionlock.toml", LOCKS_OF_DNF5)
    else:
        host.write("/etc/dnf/plugins/versionlock.list", "docker-ce-3:1.2.3-1.*\n")
    api = Api(host)
    text, command = find_refusal(api, plan(api), "ResolutionFailed")
    assert "a version lock hides it" in text
    assert "docker-ce" in host.run("sh", "-c", command).stdout
    assert host.internet.requests(sites.ALIYUN) == [], "no other source is tried"


# Runs on the host: a worker with a libdnf5 for which a lock is an exclude.
_OLDER_LIBDNF5 = """
import runpy
import libdnf5.base as base
base.GoalProblem_EXCLUDED |= base.GoalProblem_EXCLUDED_VERSIONLOCK
del base.GoalProblem_EXCLUDED_VERSIONLOCK
runpy.run_module("dockmgrd.worker", run_name="__main__")
"""


@pytest.mark.suites(FORKY.name)
@pytest.mark.parametrize(
    ("locked", "sentence"),
    [("docker-ce", "a version lock hides it"), ("containerd.io", "a version lock hides it")],
)
def test_an_older_libdnf5_does_not_take_a_lock_for_a_module(
    host: Host, locked: str, sentence: str
) -> None:
    use_source(host)
    host.write("/etc/dnf/versionlock.toml", LOCKS_OF_DNF5.replace("docker-ce", locked))
    outcome = outcome_of(host, install(), ("python3", "-c", _OLDER_LIBDNF5))
    assert outcome.error_name == "org.dockmgr1.Error.ResolutionFailed"
    assert f"{locked} is in" in outcome.error_message
    assert sentence in outcome.error_message
    host.run("rm", "/etc/dnf/versionlock.toml")
    add_to_configuration(host, f"excludepkgs={locked}")
    outcome = outcome_of(host, install(), ("python3", "-c", _OLDER_LIBDNF5))
    assert "'excludepkgs' or 'includepkgs' hides it" in outcome.error_message


def test_protected_packages_of_the_configuration_are_named(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    add_to_configuration(host, "protected_packages=docker-ce-cli")
    text, command = find_refusal(api, api.uninstall(), "ResolutionFailed")
    assert "removed: docker-ce-cli" in text
    shown = host.run("sh", "-c", command).stdout
    assert "/etc/dnf/dnf.conf" in shown
    assert "protected_packages=docker-ce-cli" in shown


def test_protected_packages_are_named(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    host.write("/etc/dnf/protected.d/test.conf", "containerd.io\n")
    for force in (False, True):
        job = api.uninstall(force=("b", force))
        text, command = find_refusal(api, job, "ResolutionFailed")
        assert "dnf protects packages that would have to be removed: containerd.io." in text
        assert "test.conf" in host.run("sh", "-c", command).stdout
    assert host.run("systemctl", "is-active", "docker").stdout == "active\n"


def test_protection_of_a_conflicting_package_is_named(host: Host) -> None:
    host.run("dnf", "-y", "install", "runc", "buildah")
    host.write("/etc/dnf/protected.d/test.conf", "buildah\n")
    api = Api(host)
    job = api.install(replace_conflicting=("b", True))
    text, _ = find_refusal(api, job, "ResolutionFailed")
    assert "removed: buildah" in text


_DEAD = {
    "no address": "enabled=1",
    "no URL": "baseurl=nonsense",
    "metalink without a scheme": "metalink=nonsense",
    "mirrorlist without a scheme": "mirrorlist=nonsense",
    "dead metalink": "metalink=https://nowhere.bed.test/metalink",
    "dead mirrorlist": "mirrorlist=https://nowhere.bed.test/mirrors",
    "dead address": "baseurl=https://nowhere.bed.test/",
    "missing folder": "baseurl=file:///srv/missing",
    "required": "baseurl=file:///srv/missing\nskip_if_unavailable=0",
}


def test_a_dead_repository_of_somebody_else_never_blocks(host: Host) -> None:
    api = Api(host)
    for name, lines in _DEAD.items():
        host.write(OTHER, f"[other]\nname=Other\n{lines}\n")
        result = api.wait(plan(api))
        assert "refusal" not in result, name
        notes = [each["args"].get("repository") for each in result["notes"]]
        assert notes == ["other"], name
    result = api.wait(api.install())
    assert result["engine-version"]
    assert [each["args"].get("repository") for each in result["notes"]][:1] == ["other"]


def test_an_invalid_file_of_somebody_else_is_named(host: Host) -> None:
    """dnf5 itself refuses to work then; dnf4 passes over the file."""
    host.write(OTHER, "[other\nname=Other\n")
    api = Api(host)
    if host.suite.dnf5:
        text, _ = find_refusal(api, plan(api), "ConfigInvalid")
        assert OTHER in text
        assert "Missing ']' on line 1" in text, "the package manager's own sentence"
    else:
        assert "refusal" not in api.wait(plan(api))


def test_cacheonly_is_named(host: Host) -> None:
    setting = "cacheonly=all" if host.suite.dnf5 else "cacheonly=1"
    before = add_to_configuration(host, setting)
    api = Api(host)
    listing = api.call("ListVersions", "a{sv}", {"source": ("s", "official,aliyun")})
    for job in (plan(api), listing):
        text, command = find_refusal(api, job, "ConfigConflict")
        assert "'cacheonly'" in text
        assert setting in host.run("sh", "-c", command).stdout
        assert host.internet.requests(sites.ALIYUN) == [], "no other source is tried"
    host.write(DNF_CONF, before)
    assert api.wait(plan(api))["changed"]
    add_to_configuration(host, setting)  # now the metadata is there, and the packages are not
    find_refusal(api, api.install(), "ConfigConflict")


@pytest.mark.parametrize(
    ("setting", "culprit"),
    [
        ("tsflags=test", "tsflags=test"),
        ("tsflags=nodocs,justdb", "tsflags=justdb"),
        ("tsflags=noscripts", "tsflags=noscripts"),
        ("installroot=/srv/root", "installroot=/srv/root"),
    ],
)
def test_settings_that_keep_packages_from_this_host(
    docker_host: Host, setting: str, culprit: str
) -> None:
    """Nothing is claimed to be installed or removed that is not."""
    host, api = docker_host, Api(docker_host)
    host.write("/var/lib/docker/volumes/precious/_data/file", "precious")
    before = add_to_configuration(host, setting)
    text, command = find_refusal(api, api.install(upgrade=TRUE), "ConfigConflict")
    assert f"'{culprit}'" in text
    assert setting in host.run("sh", "-c", command).stdout
    refusal = (text, command)
    assert find_refusal(api, plan(api, upgrade=TRUE), "ConfigConflict") == refusal
    assert find_refusal(api, api.uninstall(), "ConfigConflict") == refusal
    assert find_refusal(api, api.uninstall(purge_data=TRUE), "ConfigConflict") == refusal
    assert host.read("/var/lib/docker/volumes/precious/_data/file") == "precious"
    assert host.run("systemctl", "is-active", "docker").stdout.strip() == "active"
    host.write(DNF_CONF, f"{before.rstrip()}\ntsflags=nodocs\ninstallroot=/\n")
    assert api.wait(api.uninstall())["removed"]


def test_a_cache_that_cannot_be_written_is_named(host: Host) -> None:
    host.write("/srv/file", "")
    add_to_configuration(host, "cachedir=/srv/file/below")
    api = Api(host)
    if host.suite.dnf5:  # It uses the cache of the user then.
        assert api.wait(plan(api))["changed"]
    else:
        text, _ = find_refusal(api, plan(api), "WriteFailed")
        assert "/srv/file" in text


def test_a_damaged_rpm_database_leaves_status_its_other_facts(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    before = api.status()
    database = host.run("rpm", "--eval", "%_dbpath/rpmdb.sqlite").stdout.strip()
    host.run("sh", "-c", f"mkdir /srv/rpm; cp -a {database}* /srv/rpm")
    for damage in ("printf garbage >", ": >", "truncate -s 5000 "):
        host.run("sh", "-c", f"rm -f {database}-*; {damage}{database}")
        status = api.status()
        assert {**status, "problems": []} == {**before, "problems": []}, damage
        [problem] = status["problems"]
        assert problem["id"] == "rpm-database-not-read", damage
        assert problem["args"]["reason"], "rpm's own sentence"
    host.run("sh", "-c", f"rm -f {database}*; cp -a /srv/rpm/* $(dirname {database})")
    assert api.status() == before


def test_a_damaged_rpm_database_is_what_jobs_name(host: Host) -> None:
    api = Api(host)
    database = host.run("rpm", "--eval", "%_dbpath/rpmdb.sqlite").stdout.strip()
    host.run("sh", "-c", f"rm -f {database}-*; printf garbage >{database}")
    calls: list[Callable[[], str]] = [
        lambda: api.install(source=("s", "official")),
        lambda: plan(api),
        api.uninstall,
        lambda: api.uninstall(dry_run=DRY_RUN),
        lambda: api.set_mirror("https://mirror.example/path/"),
    ]
    for call in calls:
        text, command = find_refusal(api, call(), "TransactionFailed")
        assert text.startswith("The database of rpm cannot be read: ")
        assert command == "rpmdb --rebuilddb"
    assert host.run("test", "-e", "/etc/docker/daemon.json", check=False).returncode == 1
    # Which mirrors these are does not depend on the version of the engine.
    assert api.wait(api.set_mirror("https://mirror.example/"))["changed"]
