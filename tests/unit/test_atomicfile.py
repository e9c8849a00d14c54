# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file is the old one or the new one, and keeps what is not its content."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dockmgrd import atomicfile
from dockmgrd.errors import InsufficientSpace, WriteFailed


def test_a_new_file_gets_the_mode_and_its_folders(tmp_path: Path) -> None:
    target = tmp_path / "etc" / "docker" / "daemon.json"
    atomicfile.replace(target, b"{}\n", mode=0o640)
    assert target.read_bytes() == b"{}\n"
    assert target.stat().st_mode & 0o777 == 0o640


def test_an_old_file_keeps_owner_and_mode(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    target.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(target, 4, 7)
    before = target.stat()
    atomicfile.replace(target, b"new")
    after = target.stat()
    assert target.read_text() == "new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("old")
    link = tmp_path / "link"
    link.symlink_to(real)
    atomicfile.replace(link, b"new")
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.parametrize("step", ["fsync", "replace", "fchmod"])
@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, InsufficientSpace), (errno.EROFS, WriteFailed)]
)
def test_a_failure_at_any_step_leaves_the_old_file_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    number: int,
    error: type[Exception],
) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(error, match=str(target)):
        atomicfile.replace(target, b"new")
    assert target.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_removing_what_is_not_there_is_fine(tmp_path: Path) -> None:
    atomicfile.remove(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    atomicfile.remove(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
