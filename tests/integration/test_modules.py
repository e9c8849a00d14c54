# SPDX-License-Identifier: LGPL-2.1-or-later
"""A distribution with modules, such as EL 8: modular filtering hides containerd.io.

dnf hides every package outside a module that has the name of one in an active module, or provides
it. On CentOS 8 containerd.io provided `runc`, which was in container-tools; here it provides
`containerd`, so the module of this test has a package of that name.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bed import layers, repositories, rpmbuild, sites
from bed.api import Api, ApiError
from bed.by_hand import REPOSITORY_FILE, repository
from bed.fixtures import EACH_DNF
from bed.shell import checked
from bed.suites import ARCH, BOOKWORM, CENTOS_STREAM_9, os_release_text

if TYPE_CHECKING:
    from pathlib import Path

    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite

pytestmark = EACH_DNF
ERROR = "org.dockmgr1.Error."
CENTOS_8 = {**CENTOS_STREAM_9, "VERSION_ID": "8", "PRETTY_NAME": "CentOS Linux 8"}
HOTFIXES = "--setopt=docker-ce-stable.module_hotfixes=1"

IN_MODULE = rpmbuild.Package("containerd", "1.2.6", "1.module_el8")
MODULES = """\
---
document: modulemd
version: 2
data:
  name: container-tools
  stream: rhel8
  version: 8030020201104
  context: 830d479e
  arch: x86_64
  summary: Common tools and dependencies for container runtimes
  description: Stand-in for the module of EL 8
  license:
    module: [MIT]
  artifacts:
    rpms:
    - containerd-0:1.2.6-1.module_el8.noarch
...
---
document: modulemd-defaults
version: 1
data:
  module: container-tools
  stream: rhel8
...
"""
FOLDER = "/srv/appstream"
APPSTREAM = f"""\
[appstream]
name=The distribution's modules
baseurl=file://{FOLDER}
enabled=1
gpgcheck=0
"""


def test_a_module_hides_containerd(new_host: NewHost, suite: Suite, tmp_path: Path) -> None:
    host = new_host(layers.ours(suite))
    add_module(host, tmp_path)
    host.write(REPOSITORY_FILE, repository(suite))
    assert not seen_by_dnf(host), "dnf itself finds none"
    assert seen_by_dnf(host, HOTFIXES)
    host.path(REPOSITORY_FILE).unlink()

    api = Api(host)
    job = api.install()
    way_out = (
        r"containerd\.io is in .* hides it from dnf.*'dnf module list.*Or give the URL of a cont"
    )
    with pytest.raises(ApiError, match=way_out) as caught:
        api.wait(job)
    assert caught.value.name == ERROR + "ResolutionFailed"
    assert api.properties(job)["Result"]["missing"] == ["containerd.io"]
    assert not host.path(REPOSITORY_FILE).exists()

    _, current, _ = repositories.generations(suite)
    stable = f"https://{sites.DOCKER}/linux/{suite.trees[0]}/{ARCH}/stable"
    name = f"containerd.io-{current.containerd}-1.{suite.dist}.{ARCH}.rpm"
    by_address = {"containerd_rpm": ("s", f"{stable}/Packages/{name}")}
    assert api.wait(api.install(**by_address, dry_run=("b", True)))["changed"]
    host.run("dnf", "-y", "module", "disable", "container-tools")
    assert api.wait(api.install(dry_run=("b", True)))["changed"]


def test_install_sees_through_a_module(new_host: NewHost, suite: Suite, tmp_path: Path) -> None:
    """On EL 8, and where an own repository may be for any system, ours takes no part in that."""
    as_centos_8 = suite is BOOKWORM
    files = {"/usr/lib/os-release": os_release_text(CENTOS_8)} if as_centos_8 else {}
    host = new_host(layers.ours(suite), files=files)
    add_module(host, tmp_path)
    own = f"https://{sites.ALIYUN}/docker-ce/linux/{suite.trees[0]}/{ARCH}/stable"
    where = {} if as_centos_8 else {"repo_url": ("s", own)}
    api = Api(host)
    result = api.wait(api.install(**where))
    assert result["engine-version"]
    host.run("rpm", "--query", "containerd.io")
    assert seen_by_dnf(host), "and dnf itself sees it in our repository, for updates"


def add_module(host: Host, tmp_path: Path) -> None:
    """Give the host a repository with a module whose default stream is active by itself."""
    local, modules = tmp_path / "appstream", tmp_path / "modules.yaml"
    rpmbuild.build([IN_MODULE], local)
    modules.write_text(MODULES)
    checked(["createrepo_c", "--quiet", local])
    checked(["modifyrepo_c", "--mdtype=modules", modules, local / "repodata"])
    shutil.copytree(local, host.path(FOLDER))
    host.write("/etc/yum.repos.d/appstream.repo", APPSTREAM)


def seen_by_dnf(host: Host, *options: str) -> list[str]:
    """Builds of containerd.io in Docker's repository that dnf may install."""
    query = ("dnf", "--quiet", *options, "repoquery", "--available", "containerd.io")
    return host.run(*query).stdout.split()
