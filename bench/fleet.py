# SPDX-License-Identifier: LGPL-2.1-or-later
"""The collection, beside the role geerlingguy.docker on the same kind of host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bed import debs, layers, sites, system
from bed.host import Host
from bed.suites import BOOKWORM
from bench.hosts import boot_host
from bench.pairs import Comparison, compare, timed
from controller import collection
from controller.environments import CACHE, NEWEST, find_environment
from controller.runs import Controller

_VERSION = "8.0.0"
_SOURCE = "git+https://github.com/geerlingguy/ansible-role-docker"
_PEER = f"geerlingguy.docker {_VERSION}"
_BUNDLE = "ansible==14.5.0"
"""The package with the collections of the community: the role needs one of them."""
_COLLECTION = "ansible_collections/community/general/"
_ROLES = CACHE / f"geerlingguy.docker-{_VERSION}"
_COLLECTIONS = CACHE / f"community.general-{_BUNDLE}"
_MIRRORS = (f"https://{sites.MIRROR}/", f"https://{sites.MIRROR2}/")
_REPOSITORY_FILE = "/srv/docker-ce.repo"
_REPOSITORY = f"""[docker-ce-stable]
name=Docker CE Stable
baseurl=https://{sites.DOCKER}/linux/centos/9/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=file://{system.KEY_FILE}
"""
_RUNS = 3


def measures() -> Iterator[Comparison]:
    """All figures of the collection, as they are ready; none if the role cannot be had."""
    for source, fetch in ((_SOURCE, _fetch_role), (_BUNDLE, _fetch_collection)):
        if not fetch():
            print(f"fleet: skipped, as {source} cannot be fetched", file=sys.stderr, flush=True)
            return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        collection.install(collection.build_archive(work), work)
        shutil.copytree(_COLLECTIONS, work, dirs_exist_ok=True)
        yield _new_hosts(work)
        with _host_and_controller(work) as fleet, _host_and_controller(work) as peers:
            yield _unchanged(fleet, peers)
            yield _other_mirror(fleet, peers)
            yield _check(fleet, peers)


def _fetch_role() -> bool:
    """Whether the role is in the cache, after an attempt to fetch it."""
    if _ROLES.exists():
        return True
    galaxy = find_environment(NEWEST) / "bin" / "ansible-galaxy"
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        target = Path(folder) / "roles"
        source = f"{_SOURCE},{_VERSION},geerlingguy.docker"
        command = (galaxy, "role", "install", "--roles-path", target, source)
        done = subprocess.run(
            command,
            env={**os.environ, "ANSIBLE_HOME": folder, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            target.rename(_ROLES)
    return _ROLES.exists()


def _fetch_collection() -> bool:
    """Whether the collection that the role needs is in the cache, after an attempt to fetch it."""
    if _COLLECTIONS.exists():
        return True
    pip = find_environment(NEWEST) / "bin" / "pip"
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = (pip, "download", "--quiet", "--no-deps", "--dest", folder, _BUNDLE)
        if subprocess.run(command, check=False).returncode == 0:
            [wheel] = Path(folder).glob("*.whl")
            target = Path(folder) / "collections"
            with zipfile.ZipFile(wheel) as archive:
                members = [name for name in archive.namelist() if name.startswith(_COLLECTION)]
                archive.extractall(target, members)
            target.rename(_COLLECTIONS)
    return _COLLECTIONS.exists()


@dataclass(frozen=True)
class _Fleet:
    """A host with a controller that manages it in one of the two ways."""

    host: Host
    controller: Controller

    def apply_ours(self, mirror: str, *arguments: str) -> float:
        """Seconds in which our modules install the engine and set the mirror."""
        tasks: Sequence[Mapping[str, Any]] = (
            {"dockmgr.docker.engine": {"source": ["official"]}},
            {"dockmgr.docker.registry_mirrors": {"mirrors": [mirror]}},
        )
        return self._run({"gather_facts": False, "tasks": tasks}, *arguments)

    def apply_role(self, mirror: str, *arguments: str) -> float:
        """Seconds in which the role does the same."""
        variables = {
            "docker_yum_repo_url": f"file://{_REPOSITORY_FILE}",
            "docker_yum_gpg_key": system.KEY_FILE,
            "docker_daemon_options": {"registry-mirrors": [mirror]},
        }
        # It restarts the engine for each change, more often than systemd allows in a short time.
        self.host.run("systemctl", "reset-failed", "docker.service", check=False)
        return self._run({"vars": variables, "roles": ["geerlingguy.docker"]}, *arguments)

    def _run(self, play: Mapping[str, Any], *arguments: str) -> float:
        playbook = json.dumps([{"hosts": "all", **play}]) + "\n"

        def run() -> None:
            done = self.controller.run(playbook, *arguments)
            assert done.code == 0, done.output

        return timed(run)


@contextmanager
def _host_and_controller(work: Path) -> Iterator[_Fleet]:
    """A host with dockmgrd and no engine."""
    disk = debs.with_packages(BOOKWORM, layers.ours(BOOKWORM), "openssh-server")
    with boot_host(disk) as host:
        host.write(layers.SOURCES_FILE, layers.sources_text())
        host.write(_REPOSITORY_FILE, _REPOSITORY)
        own = Path(tempfile.mkdtemp(dir=work))
        shutil.copytree(_ROLES, own / "roles")
        controller = Controller(own, work, {"host": host}, shares_connections=True)
        controller.prepare()
        yield _Fleet(host, controller)


def _new_hosts(work: Path) -> Comparison:
    def ours() -> float:
        with _host_and_controller(work) as fleet:
            return fleet.apply_ours(_MIRRORS[0])

    def role() -> float:
        with _host_and_controller(work) as fleet:
            return fleet.apply_role(_MIRRORS[0])

    return compare("Ansible, new host", _PEER, ours, role, runs=_RUNS)


def _unchanged(fleet: _Fleet, peers: _Fleet) -> Comparison:
    """The first pair, which is not counted, installs."""
    return compare(
        "Ansible, nothing to do",
        _PEER,
        lambda: fleet.apply_ours(_MIRRORS[0]),
        lambda: peers.apply_role(_MIRRORS[0]),
        runs=_RUNS,
    )


def _other_mirror(fleet: _Fleet, peers: _Fleet) -> Comparison:
    """Each run sets the other mirror."""
    ours, theirs = _alternate(), _alternate()
    return compare(
        "Ansible, other mirror",
        _PEER,
        lambda: fleet.apply_ours(next(ours)),
        lambda: peers.apply_role(next(theirs)),
        runs=_RUNS,
    )


def _alternate() -> Iterator[str]:
    while True:
        yield from reversed(_MIRRORS)


def _check(fleet: _Fleet, peers: _Fleet) -> Comparison:
    return compare(
        "Ansible, --check",
        _PEER,
        lambda: fleet.apply_ours(_MIRRORS[0], "--check"),
        lambda: peers.apply_role(_MIRRORS[0], "--check"),
        runs=_RUNS,
    )
