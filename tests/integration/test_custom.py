# SPDX-License-Identifier: LGPL-2.1-or-later
"""Custom packages: containerd.io from a URL, and a custom repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed import layers, repositories, sites
from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF, NEEDS_JAVASCRIPT_RULES
from bed.suites import ARCH, BOOKWORM, CENTOS_STREAM_9, os_release_text

if TYPE_CHECKING:
    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite

pytestmark = EACH_DNF
ERROR = "org.dockmgr1.Error."
TRUE, FALSE = ("b", True), ("b", False)
CENTOS_8 = {**CENTOS_STREAM_9, "VERSION_ID": "8", "PRETTY_NAME": "CentOS Linux 8"}


def containerd_at(site: str, suite: Suite, version: str) -> str:
    folder = f"linux/{suite.trees[0]}/{ARCH}/stable/Packages"
    return f"https://{site}/{folder}/containerd.io-{version}-1.{suite.dist}.{ARCH}.rpm"


def test_a_containerd_that_is_too_old(new_host: NewHost, suite: Suite) -> None:
    """CentOS 8 in its day: docker-ce was there, and the containerd.io beside it did not do."""
    as_centos_8 = suite is BOOKWORM
    files = {"/usr/lib/os-release": os_release_text(CENTOS_8)} if as_centos_8 else {}
    host = new_host(layers.ours(suite), files=files)
    tree = f"/linux/{'rhel/8' if as_centos_8 else suite.trees[0]}/{ARCH}"
    host.internet.fault(sites.DOCKER, "instead", prefix=f"{tree}/stable", value=f"{tree}/lagging")
    _, current, _ = repositories.generations(suite)
    api = Api(host)
    job = api.install()
    with pytest.raises(
        ApiError, match=r"containerd\.io >= .*Or give the URL of a containerd\.io package"
    ) as caught:
        api.wait(job)
    assert caught.value.name == ERROR + "ResolutionFailed"
    assert api.properties(job)["Result"]["missing"] == ["containerd.io"]

    host.write("/etc/dnf/dnf.conf", "[main]\nexcludepkgs=containerd.io\n")
    with pytest.raises(
        ApiError, match=r"containerd\.io is in .* hides it from dnf.*Or give the URL"
    ):
        api.wait(api.install())
    host.write("/etc/dnf/dnf.conf", "[main]\n")

    [stranger] = _packages_of(host, "stranger")
    with pytest.raises(ApiError, match=rf"{sites.STRANGER}.* was rejected") as caught:
        api.wait(api.install(containerd_rpm=("s", f"https://{sites.STRANGER}/{stranger}")))
    assert caught.value.name == ERROR + "SignatureRejected"
    with pytest.raises(ApiError, match="cannot be downloaded") as caught:
        api.wait(api.install(containerd_rpm=("s", containerd_at(sites.DOCKER, suite, "0.0"))))
    assert caught.value.name == ERROR + "SourceUnreachable"
    assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0

    if not as_centos_8:  # there it is another tree, and this address is not of it
        host.internet.clear()
        broken = {"prefix": f"{tree}/stable/repodata", "value": f"{tree}/lagging/repodata"}
        host.internet.fault(sites.DOCKER, "instead", **broken)
    url = ("s", containerd_at(sites.DOCKER, suite, current.containerd))
    result = api.wait(api.install(containerd_rpm=url))
    assert (
        sum(each.startswith(("containerd.io-", "docker-ce-3:")) for each in result["installed"])
        == 2
    )
    assert result["engine-version"]
    hotfixes = "module_hotfixes=1" in host.read("/etc/yum.repos.d/docker-ce.repo")
    assert hotfixes is as_centos_8
    assert not api.wait(api.install(containerd_rpm=url))["changed"]


def _packages_of(host: Host, site: str) -> list[str]:
    root = repositories.provide(host.suite) / site
    found = root.glob(f"linux/{host.suite.trees[0]}/{ARCH}/stable/Packages/containerd.io-*")
    return sorted(str(path.relative_to(root)) for path in found)[-1:]


@NEEDS_JAVASCRIPT_RULES
def test_other_repositories_need_their_own_action(host: Host) -> None:
    api = Api(host, user="bob")
    for option in ("containerd_rpm", "repo_url"):
        with pytest.raises(ApiError) as caught:
            api.install(**{option: ("s", "https://mine.bed.test/x.rpm")})
        assert caught.value.name.endswith("InteractiveAuthorizationRequired"), caught.value
    rules = (
        'polkit.addRule((action) => { if (action.id == "org.dockmgr1.install") return "yes"; });'
    )
    host.write("/etc/polkit-1/rules.d/10-test.rules", rules)
    with pytest.raises(ApiError):
        api.install(repo_url=("s", "https://mine.bed.test/"))


def test_a_repository_of_ones_own(host: Host) -> None:
    own = f"https://{sites.ALIYUN}/docker-ce/linux/{host.suite.trees[0]}/{ARCH}/stable"
    api = Api(host)
    plan = api.wait(api.install(repo_url=("s", own), dry_run=TRUE))
    assert (plan["source"], plan["base-url"]) == ("custom", own)
    shown = host.run("dockmgrctl", "install", "--repo-url", own, "--dry-run").stdout
    assert f"Docker's packages come from {own}" in shown
    result = api.wait(api.install(repo_url=("s", own), minimal=TRUE, start=FALSE))
    assert result["source"] == "custom"
    assert f"baseurl={own}\n" in host.read("/etc/yum.repos.d/docker-ce.repo")
    assert {request.host for request in host.internet.requests()} <= {sites.ALIYUN, sites.BASE}


def test_a_kernel_without_addrtype(host: Host) -> None:
    """EL 10 has the module in a package that nothing pulls in."""
    release = host.run("uname", "-r").stdout.strip()
    builtin = f"/lib/modules/{release}/modules.builtin"
    host.write(builtin, host.read(builtin).replace("kernel/net/xt_addrtype.ko\n", ""))
    host.run("depmod")
    api = Api(host)
    job = api.install()
    with pytest.raises(ApiError, match=f"The kernel {release} has no module xt_addrtype") as caught:
        api.wait(job)
    assert caught.value.name == ERROR + "KernelModuleMissing"
    remedy = api.properties(job)["ErrorDetails"]["remedy"]
    assert remedy["command"] == f"dnf install kernel-modules-extra-{release}"
    assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0
    assert api.wait(api.install(start=FALSE, dry_run=TRUE))["changed"]
    host.write("/etc/docker/daemon.json", '{"iptables": false}')
    assert api.wait(api.install(dry_run=TRUE))["changed"]
    host.run("rm", "--recursive", "/lib/modules")
    host.path("/etc/docker/daemon.json").unlink()
    assert api.wait(api.install(dry_run=TRUE, completion=TRUE))["changed"], "nobody can tell"
