# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file is the old one or the new one, and keeps what is not its content."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from dockmgrd.errors import InsufficientSpace, WriteFailed
from dockmgrd.host import atomicfile
from unit.killing import killed_at_every_call


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


def test_a_crash_at_any_system_call_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "file"
    seen = set()
    target.write_bytes(b"old")
    for _ in killed_at_every_call(lambda: atomicfile.replace(target, b"new" * 9000)):
        seen.add(target.read_bytes())
        assert len(list(tmp_path.iterdir())) <= 2, "what is left behind does not pile up"
        target.write_bytes(b"old")
    assert seen == {b"old", b"new" * 9000}
    assert target.read_bytes() == b"new" * 9000
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_crash_while_a_new_file_is_made_leaves_it_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "etc" / "docker" / "daemon.json"
    seen = set()
    for _ in killed_at_every_call(lambda: atomicfile.replace(target, b"new")):
        seen.add(target.read_bytes() if target.exists() else None)
        shutil.rmtree(tmp_path / "etc", ignore_errors=True)
    assert seen == {None, b"new"}


def test_a_crash_over_the_backup_leaves_one_that_is_whole(tmp_path: Path) -> None:
    target, backup = tmp_path / "file", tmp_path / "backup"

    def change() -> None:
        atomicfile.back_up(target, backup)
        atomicfile.replace(target, b"new")

    seen = set()
    target.write_bytes(b"old")
    backup.write_bytes(b"older")
    for _ in killed_at_every_call(change):
        seen.add((target.read_bytes(), backup.read_bytes()))
        for path in (target, backup):
            path.unlink()
        target.write_bytes(b"old")
        backup.write_bytes(b"older")
    assert seen == {(b"old", b"older"), (b"old", b"old"), (b"new", b"old")}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup", "file"]


def test_the_backup_is_what_the_file_was(tmp_path: Path) -> None:
    target, backup = tmp_path / "file", tmp_path / "backup"
    for content in (b"one", b"two", b"three"):
        target.write_bytes(content)
        target.chmod(0o640)
        atomicfile.back_up(target, backup)
        atomicfile.back_up(target, backup)  # as after a crash between the two steps
        atomicfile.replace(target, b"new")
        assert backup.read_bytes() == content
        assert backup.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup", "file"]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_the_backup_is_a_copy_where_there_can_be_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    target, backup = tmp_path / "file", tmp_path / "backup"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", fail)
    atomicfile.back_up(target, backup)
    assert backup.read_bytes() == b"old"
    assert not backup.samefile(target)


def test_what_a_killed_writer_left_is_taken_away(tmp_path: Path) -> None:
    target = tmp_path / "file"
    (tmp_path / ".file.dockmgrd-new").write_bytes(b"half")
    atomicfile.replace(target, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may label files")
def test_the_selinux_label_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    label = b"system_u:object_r:container_config_t:s0\0"
    os.setxattr(target, "security.selinux", label)
    atomicfile.replace(target, b"new")
    assert os.getxattr(target, "security.selinux") == label


def test_a_link_to_nowhere_gets_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "deep" / "real")
    atomicfile.replace(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "deep" / "real").read_bytes() == b"new"
