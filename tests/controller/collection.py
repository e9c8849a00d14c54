# SPDX-License-Identifier: LGPL-2.1-or-later
"""The collection as a source tree for Ansible's tools, and as installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from controller.environments import NEWEST, ROOT, find_environment, run_checked

INSTALLED_PARTS = ("meta", "playbooks", "plugins", "roles")
"""A collection has to work when everything else is deleted after its installation."""


def copy_source(target: Path) -> Path:
    """Copy the collection's files to TARGET/ansible_collections/dockmgr/docker, a Git work tree.

    Returns that directory. ansible-test looks at no files but those that Git knows.
    """
    collection = target / "ansible_collections" / "dockmgr" / "docker"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "ansible"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.rstrip("\0").split("\0"):
        source, copy = ROOT / name, collection / Path(name).relative_to("ansible")
        if source.exists():  # not deleted since the last commit
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    run_checked("git", "init", "--quiet", ".", cwd=collection)
    run_checked("git", "add", "--all", cwd=collection)
    return collection


def build_archive(target: Path) -> Path:
    """Build the archive for Galaxy as `make collection` does, and return its path."""
    environment = find_environment(NEWEST)
    run_checked(ROOT / "packaging" / "collection", environment, env={"OUT": str(target)})
    [archive] = target.glob("dockmgr-docker-*.tar.gz")
    return archive


def install(archive: Path, target: Path) -> Path:
    """Install the archive below TARGET and return the collection's directory there.

    Only the parts that Ansible itself needs are left in it.
    """
    galaxy = find_environment(NEWEST) / "bin" / "ansible-galaxy"
    command = (galaxy, "collection", "install", "--offline", "--collections-path", target, archive)
    run_checked(*command, env={"ANSIBLE_HOME": str(target / "home")})
    collection = target / "ansible_collections" / "dockmgr" / "docker"
    for path in collection.iterdir():
        if path.name in INSTALLED_PARTS:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return collection
