# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders that we make get the label of the policy, where the host has SELinux."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.host import atomicfile, held_folders, selinux


@pytest.fixture
def restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for restorecon was called with, a line each. The bed has no SELinux."""
    log = tmp_path / "restored"
    program = tmp_path / "restorecon"
    program.write_text(f'#!/bin/sh\nfor each; do echo "$each" >>{log}; done\nexit 1\n')
    program.chmod(0o755)
    enforce = tmp_path / "enforce"
    enforce.write_text("1")
    log.write_text("")
    monkeypatch.setattr(selinux, "_RESTORECON", str(program))
    monkeypatch.setattr(selinux, "_ENABLED", enforce)
    return log


def test_new_folders_of_a_file(tmp_path: Path, restored: Path) -> None:
    (tmp_path / "etc").mkdir()
    atomicfile.replace(tmp_path / "etc" / "docker" / "below" / "daemon.json", b"{}")
    made = [f"{tmp_path}/etc/docker", f"{tmp_path}/etc/docker/below"]
    assert restored.read_text().splitlines() == made
    atomicfile.replace(tmp_path / "etc" / "docker" / "below" / "daemon.json", b"{}\n")
    assert restored.read_text().splitlines() == made, "what was there keeps its label"


def test_new_folders_that_are_held(restored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_folders, "require_safe", lambda *_: None)
    folder = restored.parent / "docker" / "certs.d"
    for _ in range(2):
        with held_folders.hold_folder(folder, create=True) as held:
            assert held is not None
    assert restored.read_text().splitlines() == [str(folder.parent), str(folder)]


def test_a_host_without_selinux(
    tmp_path: Path, restored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selinux, "_ENABLED", tmp_path / "missing")
    atomicfile.replace(tmp_path / "docker" / "daemon.json", b"{}")
    assert restored.read_text() == ""


def test_a_host_without_restorecon(
    tmp_path: Path, restored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selinux, "_RESTORECON", str(tmp_path / "missing"))
    atomicfile.replace(tmp_path / "docker" / "daemon.json", b"{}")
    assert (tmp_path / "docker" / "daemon.json").read_bytes() == b"{}"
