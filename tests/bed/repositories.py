# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signed package repositories of one suite, laid out as Docker and its mirrors lay out theirs.

Below the directory that `provide` returns:

    docker/linux/TREE/ARCH/{stable,test,old}   what download.docker.com and the mirrors serve;
                                               `old` is an early state of `stable`
    docker/linux/TREE/ARCH/lagging             `stable` with a containerd.io that is too old for it
    docker/linux/*/gpg                         the bed's public key
    unsigned/linux/…, stranger/linux/…         `stable` again: empty packages without a signature,
                                               and with the signature of a key that nobody trusts
    base                                       the distribution's own repository
    installed                                  packages that are on every host
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bed import base_packages, debian, docker_packages, identity, rpmbuild
from bed.cache import Recipe, shared, text_of
from bed.shell import checked
from bed.steps import Steps
from bed.suites import ARCH
from bed.trees import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bed.suites import Suite

_LAGGING_CONTAINERD = "1.2.6"
_TEXTS = (text_of(__file__), base_packages.TEXT, docker_packages.TEXT, rpmbuild.TEXT)


def provide(suite: Suite) -> Path:
    """Return the directory of the suite's repositories."""
    debian_directory = debian.provide(suite)
    keys = identity.provide()
    inputs = (repr(suite), debian_directory.name, keys.directory.name)
    units = tuple(unit.read_text() for unit in sorted(docker_packages.UNITS.iterdir()))
    return shared().provide(
        Recipe(f"repositories-{suite.name}", (*inputs, *_TEXTS, *units)),
        lambda directory: _build(suite, debian_directory, keys, directory),
    )


def generations(suite: Suite) -> tuple[docker_packages.Generation, ...]:
    """Return the past, the current and the coming release; `test` alone has the last."""
    return docker_packages.generations(debian.provide(suite) / "root.debs")


def _build(suite: Suite, source: Path, keys: identity.Identity, directory: Path) -> None:
    packages = directory / "packages"
    steps = Steps(f"repositories-{suite.name}")
    steps.show("the distribution's packages")
    _build_base(suite, keys, directory)
    steps.show("Docker's packages")
    _build_docker(suite, source, keys, packages)
    past, current, coming = docker_packages.generations(source / "root.debs")
    steps.show("channels and sites")
    channels = {"stable": (past, current), "old": (past,), "test": (past, current, coming)}
    for channel, generations in channels.items():
        rpms = [
            packages / rpmbuild.file_name(package)
            for generation in generations
            for package in docker_packages.packages(suite, generation)
        ]
        _make_repository(directory / _channel_path("docker", suite, channel), set(rpms))
    _build_lagging(suite, keys, directory, current)
    _build_hollow(suite, keys, directory, (past, current))
    remove_tree(packages)
    for site in ("docker", "unsigned", "stranger"):
        _finish_site(suite, keys, directory / site / "linux")


def _build_base(suite: Suite, keys: identity.Identity, directory: Path) -> None:
    installed, base = directory / "installed", directory / "base"
    rpmbuild.build(base_packages.installed(suite), installed)
    rpmbuild.build(base_packages.available(suite), base / "Packages")
    rpms = [*installed.iterdir(), *(base / "Packages").iterdir()]
    rpmbuild.sign(rpms, keys, identity.OWN_KEY)
    for rpm in installed.iterdir():
        os.link(rpm, base / "Packages" / rpm.name)
    _index(base)


def _build_docker(suite: Suite, source: Path, keys: identity.Identity, packages: Path) -> None:
    content = packages.parent / "content"
    docker_packages.lay_out(source / "docker", content)
    for generation in docker_packages.generations(source / "root.debs"):
        rpmbuild.build(docker_packages.packages(suite, generation), packages, content)
    rpmbuild.sign(sorted(packages.iterdir()), keys, identity.OWN_KEY)
    remove_tree(content)


def _build_lagging(
    suite: Suite, keys: identity.Identity, directory: Path, current: docker_packages.Generation
) -> None:
    packages, own = directory / "packages", directory / "packages-lagging"
    described = docker_packages.packages(suite, replace(current, containerd=_LAGGING_CONTAINERD))
    [containerd] = [package for package in described if package.name == "containerd.io"]
    rpmbuild.build([rpmbuild.hollow(containerd)], own)
    rpmbuild.sign(sorted(own.iterdir()), keys, identity.OWN_KEY)
    rest = [
        packages / rpmbuild.file_name(package) for package in described if package is not containerd
    ]
    repository = directory / _channel_path("docker", suite, "lagging")
    _make_repository(repository, [*rest, *own.iterdir()])
    remove_tree(own)


def _build_hollow(
    suite: Suite,
    keys: identity.Identity,
    directory: Path,
    generations: Iterable[docker_packages.Generation],
) -> None:
    packages = directory / "packages-hollow"
    for generation in generations:
        described = docker_packages.packages(suite, generation)
        rpmbuild.build([rpmbuild.hollow(package) for package in described], packages)
    for site in ("unsigned", "stranger"):
        repository = directory / _channel_path(site, suite, "stable")
        if site == "stranger":
            rpmbuild.sign(sorted(packages.iterdir()), keys, identity.STRANGER_KEY)
        _make_repository(repository, packages.iterdir(), copy=True)
    remove_tree(packages)


def _channel_path(site: str, suite: Suite, channel: str) -> Path:
    return Path(site, "linux", suite.trees[0], ARCH, channel)


def _make_repository(repository: Path, rpms: Iterable[Path], *, copy: bool = False) -> None:
    packages = repository / "Packages"
    packages.mkdir(parents=True)
    for rpm in rpms:
        if copy:
            shutil.copy(rpm, packages)
        else:
            os.link(rpm, packages / rpm.name)
    _index(repository)


def _index(repository: Path) -> None:
    checked(["createrepo_c", "--quiet", repository])


def _finish_site(suite: Suite, keys: identity.Identity, linux: Path) -> None:
    """Give the other trees the same content, and every tree its key file."""
    first = linux / suite.trees[0]
    for tree in suite.trees[1:]:
        (linux / tree).parent.mkdir(exist_ok=True)
        (linux / tree).symlink_to(os.path.relpath(first, (linux / tree).parent))
    for distribution in _distributions(suite.trees):
        shutil.copy(keys.public_key(), linux / distribution / "gpg")


def _distributions(trees: Sequence[str]) -> set[str]:
    return {tree.partition("/")[0] for tree in trees}
