# SPDX-License-Identifier: LGPL-2.1-or-later
"""The RPM of the collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from bed.layers import DIST
from controller.collection import INSTALLED_PARTS
from controller.environments import ROOT, run_checked

FOLDER = "/usr/share/ansible/collections/ansible_collections/dockmgr/docker"
NAME = "ansible-collection-dockmgr-docker"


def test_all_parts_are_in_the_rpm() -> None:
    [rpm] = DIST.glob(f"{NAME}-*.noarch.rpm")
    listed = run_checked("rpm", "--nosignature", "-qpl", rpm).splitlines()
    wanted = {
        f"{FOLDER}/{path.relative_to(ROOT / 'ansible')}"
        for part in INSTALLED_PARTS
        for path in (ROOT / "ansible" / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    parts = tuple(f"{FOLDER}/{part}/" for part in INSTALLED_PARTS)
    files = {each for each in listed if each.startswith(parts) and Path(each).suffix}
    assert files == wanted
    assert f"/usr/share/doc/{NAME}/fleet.md" in listed


@pytest.mark.parametrize(
    ("definitions", "built"),
    [
        (("fedora 43",), True),
        (("rhel 9",), True),
        (("fedora 43", "_without_ansible 1"), False),
    ],
)
def test_collection_can_be_left_out(definitions: tuple[str, ...], *, built: bool) -> None:
    rpm = ROOT / "packaging" / "rpm"
    macros, spec = f"--load={rpm / 'debian.macros'}", rpm / "dockmgrd.spec"
    options = [word for each in definitions for word in ("--define", each)]
    packages = run_checked("rpmspec", macros, *options, "--query", "--qf", "%{name}\n", spec)
    needs = run_checked("rpmspec", macros, *options, "--query", "--buildrequires", spec)
    assert (NAME in packages.splitlines()) is built
    assert ("ansible-packaging" in needs.split()) is built
