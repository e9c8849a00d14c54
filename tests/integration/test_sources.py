# SPDX-License-Identifier: LGPL-2.1-or-later
"""Package sources: their order, the trees of systems, and versions."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from bed import layers, repositories, sites
from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF
from bed.suites import ARCH, os_release_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite

ERROR = "org.dockmgr1.Error."
TRUE, FALSE = ("b", True), ("b", False)
QUICK = {"minimal": TRUE, "start": FALSE, "enable": FALSE}
REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"


def break_mirror(host: Host, kind: str, path: str, value: Any = None) -> None:
    """Have TUNA's mirror of the host's tree be wrong in this way, and no other."""
    host.internet.clear()
    stable = f"/docker-ce/linux/{host.suite.trees[0]}/{ARCH}/stable"
    if kind == "instead":
        value = f"/docker-ce/linux/{host.suite.trees[0]}/{ARCH}/{value}"
    host.internet.fault(sites.TUNA, kind, prefix=stable + path, value=value)


FAULTS: dict[str, tuple[str, str, Any]] = {
    "metadata-down": ("status", "/repodata/repomd.xml", 503),
    "out-of-sync": ("instead", "/repodata/repomd.xml", "old/repodata/repomd.xml"),
    "file-missing": ("status", "/Packages/containerd.io", 404),
    "checksum": ("damage", "/Packages/docker-ce-cli", None),
    "truncated": ("truncate", "/Packages/docker-ce-2", None),
    "metadata-hangs": ("hang", "/repodata/repomd.xml", None),
    "download-hangs": ("hang", "/Packages/docker-ce-cli", None),
}


PATIENCE = (5, 10)
"""Seconds that dnf waits for data: less than we would, and on a slow machine as long as we do."""


def install_with_patience(host: Host, api: Api, patience: Sequence[int]) -> dict[str, Any]:
    """The result of an installation from the second source, which may be slow to answer, too."""
    for seconds in patience[:-1]:
        host.write("/etc/dnf/dnf.conf", f"[main]\ntimeout={seconds}\n")
        with suppress(ApiError):
            return api.wait(api.install(source=("s", "tuna,ustc"), **QUICK))
    host.write("/etc/dnf/dnf.conf", f"[main]\ntimeout={patience[-1]}\n")
    return api.wait(api.install(source=("s", "tuna,ustc"), **QUICK))


@EACH_DNF
@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_source_serves(host: Host, fault: str) -> None:
    break_mirror(host, *FAULTS[fault])
    api = Api(host)
    result = install_with_patience(
        host, api, PATIENCE if fault.endswith("hangs") else PATIENCE[-1:]
    )
    assert result["source"] == "ustc"
    [tried] = result["tried"]
    assert tried["source"] == "tuna"
    assert tried["error"] == ERROR + "SourceUnreachable"
    assert sites.TUNA in tried["message"]
    assert tried["cause"]["text"] == tried["message"]
    assert tried["cause"]["id"] != ""
    assert ("Timeout was reached" in tried["message"]) is fault.endswith("hangs")
    assert f"baseurl=https://{sites.USTC}/" in host.read(REPOSITORY)
    assert host.run("rpm", "-q", "docker-ce").returncode == 0


@EACH_DNF
def test_when_no_source_serves_each_says_why(host: Host) -> None:
    break_mirror(host, "status", "/", 404)
    host.internet.refuse(sites.USTC)
    api = Api(host)
    with pytest.raises(ApiError) as caught:
        api.wait(api.install(source=("s", "tuna,ustc"), **QUICK))
    assert caught.value.name == ERROR + "SourceUnreachable"
    assert "tuna: " in caught.value.text
    assert " ustc: " in caught.value.text
    assert not host.path(REPOSITORY).exists()
    with pytest.raises(ApiError, match="no package source 'nowhere'"):
        api.install(source=("s", "tuna,nowhere"))


@EACH_DNF
def test_versions(host: Host, suite: Suite) -> None:
    past, current, coming = repositories.generations(suite)
    api = Api(host)
    break_mirror(host, "status", "/", 404)
    listed = api.wait(api.call("ListVersions", "a{sv}", {"source": ("s", "tuna,ustc")}))
    assert [each["version"] for each in listed["versions"]] == [current.engine, past.engine]
    assert listed["source"] == "ustc"
    assert all(each["size"] > 10_000_000 and each["built"] for each in listed["versions"])
    result = api.wait(api.install(version=("s", past.engine), **QUICK))
    assert sum(past.engine in each for each in result["installed"]) == 2, "ce and cli"
    listed = api.wait(api.call("ListVersions", "a{sv}", {"channel": ("s", "test")}))
    installed = {each["version"]: each["installed"] for each in listed["versions"]}
    assert installed == {coming.engine: False, current.engine: False, past.engine: True}
    assert next(iter(installed)) == coming.engine
    with pytest.raises(ApiError, match=rf"nearest versions there are .*{past.engine}") as caught:
        api.wait(api.install(version=("s", "1.2.3"), **QUICK))
    assert caught.value.name == ERROR + "ResolutionFailed"
    assert api.wait(api.install(version=("s", current.engine), **QUICK))["upgraded"]
    bob = Api(host, user="bob")
    assert bob.wait(bob.call("ListVersions", "a{sv}", {}))["versions"], "everybody may ask"


ROCKY = {"ID": "rocky", "VERSION_ID": "9.4", "PRETTY_NAME": "Rocky Linux 9.4"}
RHEL = {"ID": "rhel", "VERSION_ID": "9.4", "PRETTY_NAME": "Red Hat Enterprise Linux 9.4"}
OPENEULER = {"ID": "openEuler", "VERSION_ID": "22.03", "PRETTY_NAME": "openEuler 22.03 (LTS-SP3)"}


def boot_as(
    new_host: NewHost, suite: Suite, os_release: dict[str, str], *, releasever: str = ""
) -> Host:
    """A host that says that it is this system, and whose dnf may be pinned to a release."""
    files = {"/usr/lib/os-release": os_release_text({**suite.os_release, **os_release})}
    if releasever:
        files["/etc/dnf/vars/releasever"] = releasever + "\n"
    return new_host(layers.ours(suite), files=files)


@pytest.mark.parametrize(
    ("os_release", "releasever", "tree"),
    [(ROCKY, "", "centos/9"), (RHEL, "9.4", "rhel/9"), (OPENEULER, "22.03LTS_SP3", "rhel/8")],
    ids=["rocky", "rhel-pinned", "openeuler"],
)
def test_the_tree_of_the_system(
    new_host: NewHost, suite: Suite, os_release: dict[str, str], releasever: str, tree: str
) -> None:
    host = boot_as(new_host, suite, os_release, releasever=releasever)
    api = Api(host)
    assert api.wait(api.install(**QUICK))["changed"]
    assert f"/linux/{tree}/$basearch/stable\n" in host.read(REPOSITORY)
    # dnf itself gets its updates from there, whatever the release that it is pinned to.
    assert host.run("dnf", "-q", "repoquery", "--repo=docker-ce-stable", "docker-ce").stdout


@EACH_DNF
def test_a_system_that_nobody_knows(new_host: NewHost, suite: Suite) -> None:
    my_linux = {"ID": "mylinux", "VERSION_ID": "3", "PRETTY_NAME": "My Linux 3"}
    host = boot_as(new_host, suite, my_linux)
    api = Api(host)
    with pytest.raises(ApiError, match=r"give its platform .TREE/VERSION") as caught:
        api.wait(api.install(**QUICK))
    assert caught.value.name == ERROR + "UnsupportedPlatform"
    assert api.wait(api.install(platform=("s", suite.trees[0]), dry_run=TRUE, **QUICK))["changed"]
