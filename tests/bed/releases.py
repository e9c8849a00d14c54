# SPDX-License-Identifier: LGPL-2.1-or-later
"""RPMs of the release before, which those in dist/ upgrade."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BUILD = Path("packaging", "rpm", "build")
# The tag and its commit, as a clone does not have to have the tag.
_RELEASE_BEFORE = ("0.1.0", "01afbb27e66a0939185e08b85e8e85c18be4954b")
_PACKAGES = ("dockmgrd", "dockmgrctl", "dockmgrd-polkit-rules")


def build_release_before(folder: Path) -> list[Path]:
    """Build the RPMs of the release before below `folder`, as release 0 of it.

    They are built from its commit. A shallow clone that does not have it gets a build of the
    present tree.
    """
    found = [revision for revision in _RELEASE_BEFORE if _is_here(revision)]
    source = _checkout(folder / "source", found[0]) if found else ROOT
    return build_as_release_0(source, folder / "rpms")


def has_release_before() -> bool:
    """Whether this clone has the commit of the release before."""
    return any(map(_is_here, _RELEASE_BEFORE))


def build_as_release_0(source: Path, out: Path) -> list[Path]:
    """Build the RPMs of a source tree as release 0 of its version, and return those for a host."""
    environment = {**os.environ, "OUT": str(out), "RELEASE": "0"}
    subprocess.run([source / _BUILD], env=environment, check=True, stdout=subprocess.DEVNULL)
    return find_packages(out)


def find_packages(folder: Path) -> list[Path]:
    """The packages for a host: Ansible's and Cockpit's need what the hosts here do not have."""
    return [next(folder.glob(f"{name}-[0-9]*.noarch.rpm")) for name in _PACKAGES]


def _is_here(revision: str) -> bool:
    git = ("git", "-C", ROOT, "cat-file", "-e", f"{revision}^{{commit}}")
    return subprocess.run(git, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _checkout(folder: Path, revision: str) -> Path:
    """A clone at the revision: what builds the RPMs asks git for the files."""
    subprocess.run(("git", "clone", "--quiet", "--no-checkout", ROOT, folder), check=True)
    subprocess.run(("git", "-C", folder, "checkout", "--quiet", revision), check=True)
    return folder
