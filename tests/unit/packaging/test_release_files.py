# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files for releases are valid for the programs that read them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
import yaml

from unit.packaging.commands import output
from unit.packaging.targets import ROOT, TARGETS
from unit.packaging.test_builds import build_lines, readme_commands

_PACKIT = """
import json, sys, yaml
from packit.schema import PackageConfigSchema
config = PackageConfigSchema().load(yaml.safe_load(open(sys.argv[1])))
print(json.dumps([[str(job.type.value), sorted(job.targets_dict)] for job in config.jobs]))
"""
# What a container and a chroot are called, and the target that they are.
_IMAGES = {
    "fedora:43": "Fedora 43",
    "fedora:44": "Fedora 44",
    "almalinux:8": "EL 8",
    "quay.io/centos/centos:stream9": "EL 9",
    "quay.io/centos/centos:stream10": "EL 10",
    "amazonlinux:2023": "Amazon Linux 2023",
    "openeuler/openeuler:22.03-lts": "openEuler 22.03",
    "openeuler/openeuler:24.03-lts": "openEuler 24.03",
}
_CHROOTS = {
    "fedora-43-x86_64": "Fedora 43",
    "fedora-44-x86_64": "Fedora 44",
    "epel-8-x86_64": "EL 8",
    "centos-stream-9-x86_64": "EL 9",
    "centos-stream-10-x86_64": "EL 10",
    "amazonlinux-2023-x86_64": "Amazon Linux 2023",
    "openeuler-22.03-x86_64": "openEuler 22.03",
    "openeuler-24.03-x86_64": "openEuler 24.03",
}
_SUPPORTED = {target.name for target in TARGETS}
_TEST_SCRIPTS = sorted((ROOT / "tests" / "tmt").glob("*/test.sh"))


@pytest.fixture(scope="module")
def tools() -> Path:
    """The programs of tests/requirements-release.txt, in the environment that make has for them."""
    digest = hashlib.sha256((ROOT / "tests/requirements-release.txt").read_bytes()).hexdigest()
    cache = Path(os.environ.get("DOCKMGRD_CACHE", "/var/cache/dockmgrd-build"))
    folder = cache / f"venv-{digest[:12]}"
    if not (folder / "ready").exists():
        pytest.skip(f"{folder} does not exist: `make check-unit` makes it")
    return folder / "bin"


def test_tmt(tools: Path) -> None:
    report = output(tools / "tmt", "--root", ROOT, "lint", "--enforce-check", "C000")
    assert [line for line in report.splitlines() if re.match(r"\s*(warn|fail) ", line)] == []
    listed = output(tools / "tmt", "--root", ROOT, "tests", "ls").split()
    assert listed == [f"/tests/tmt/{script.parent.name}" for script in _TEST_SCRIPTS]
    for plan in ("smoke", "engine", "image-mode"):
        assert f"/plans/{plan}" in output(tools / "tmt", "--root", ROOT, "plans", "ls").split()


@pytest.mark.parametrize("script", _TEST_SCRIPTS, ids=lambda script: script.parent.name)
def test_scripts_of_tmt(script: Path) -> None:
    output("bash", "-n", script)
    assert os.access(script, os.X_OK)


def test_packit(tools: Path) -> None:
    jobs = json.loads(output(tools / "python", "-c", _PACKIT, ROOT / ".packit.yaml"))
    builds = [targets for kind, targets in jobs if kind == "copr_build"]
    assert len(builds) == 3
    for targets in builds:
        known = {_CHROOTS[target] for target in targets if target != "fedora-rawhide-x86_64"}
        assert known == _SUPPORTED
    [tests] = [targets for kind, targets in jobs if kind == "tests"]
    assert set(tests) <= set(builds[0])


def test_packit_gets_the_archive_of_the_spec(tmp_path: Path) -> None:
    """The action prints its path, and the archive is that of the source RPM."""
    archive = Path(output(ROOT / "packaging/rpm/build", "--archive-only").strip())
    try:
        [source_rpm] = (ROOT / "dist").glob("*.src.rpm")
        unpack = 'rpm2archive - <"$0" | tar --extract --gzip --directory "$1"'
        output("bash", "-c", unpack, source_rpm, tmp_path)
        assert archive.read_bytes() == (tmp_path / archive.name).read_bytes()
    finally:
        archive.unlink()


def test_workflow_builds_by_readmes_lines() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/build.yml").read_text())
    job = workflow["jobs"]["rpms"]
    rows = job["strategy"]["matrix"]["include"]
    assert {_IMAGES[row["image"]] for row in rows} == _SUPPORTED
    for row in rows:
        assert row["first"].replace(" -y", "") in readme_commands().values()
    scripts = [step["run"].replace(" -y", "") for step in job["steps"] if "run" in step]
    lines = [re.sub(r" +#.*", "", line) for line in build_lines().splitlines()]
    assert "\n".join(lines) + "\n" in scripts


def test_workflow_checks_everything() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())
    assert {"run": "make check"} in workflow["jobs"]["check"]["steps"]
