# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file is the old one or the new one, and keeps its owner, mode and attributes."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dockmgrd.errors import ConfigInvalid, InsufficientSpace, WriteFailed
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


def test_files_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    target = tmp_path / "file"
    (tmp_path / ".file.dockmgrd-new").write_bytes(b"half")
    atomicfile.replace(target, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert target.read_bytes() == b"new"


NOBODY = 0xFFFFFFFF
# As `setfacl --modify user:1000:r` writes it: <linux/posix_acl_xattr.h>.
ACCESS_LIST = struct.pack(
    "<I" + "HHI" * 5,
    *(2, 0x01, 6, NOBODY, 0x02, 4, 1000, 0x04, 0, NOBODY, 0x10, 4, NOBODY, 0x20, 0, NOBODY),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [("user.note", b"mine"), ("system.posix_acl_access", ACCESS_LIST)],
    ids=["of users", "access list"],
)
def test_attributes_are_kept(tmp_path: Path, name: str, value: bytes) -> None:
    target = tmp_path / "daemon.json"
    target.write_text("{}")
    target.chmod(0o640)
    os.setxattr(target, name, value)
    mode = target.stat().st_mode
    atomicfile.replace(target, b"new")
    assert os.getxattr(target, name) == value
    assert target.stat().st_mode == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may label files")
def test_the_selinux_label_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    label = b"system_u:object_r:container_config_t:s0\0"
    os.setxattr(target, "security.selinux", label)
    atomicfile.replace(target, b"new")
    assert os.getxattr(target, "security.selinux") == label


def test_the_target_of_a_dangling_link_is_created_and_removed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    atomicfile.check_replaceable(link)
    atomicfile.replace(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    atomicfile.remove_target(link)
    assert [each.name for each in tmp_path.iterdir()] == ["link"]
    assert link.is_symlink()


def make_directory(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_link_to_device(path: Path) -> None:
    path.symlink_to(os.devnull)


def make_loop(path: Path) -> None:
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


def make_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def make_link_into_missing_folder(path: Path) -> None:
    path.symlink_to(path.parent / "deep" / "real")


@pytest.mark.parametrize(
    ("make", "message_id"),
    [
        (make_directory, "not-a-regular-file"),
        (make_fifo, "not-a-regular-file"),
        (make_link_to_device, "link-to-no-file"),
        (make_loop, "link-loop"),
        (make_link_to_itself, "link-loop"),
        (make_link_into_missing_folder, "link-to-missing-folder"),
    ],
)
def test_special_files_are_refused_and_kept(
    tmp_path: Path, make: Callable[[Path], None], message_id: str
) -> None:
    path = tmp_path / "daemon.json"
    make(path)
    before = sorted(each.name for each in tmp_path.iterdir())
    attempts: list[Callable[[], None]] = [
        lambda: atomicfile.check_replaceable(path),
        lambda: atomicfile.replace(path, b"new"),
    ]
    for attempt in attempts:
        with pytest.raises(WriteFailed) as caught:
            attempt()
        assert caught.value.text.id == message_id
        assert str(path) in caught.value.message
    assert sorted(each.name for each in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "make", [make_directory, make_fifo, make_link_to_device, make_loop, make_link_to_itself]
)
def test_special_files_are_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "daemon.json"
    make(path)
    with pytest.raises(ConfigInvalid, match=str(path)):
        atomicfile.read(path)


def test_a_missing_file_reads_as_none(tmp_path: Path) -> None:
    assert atomicfile.read(tmp_path / "nothing") is None
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    assert atomicfile.read(tmp_path / "dangling") is None
    (tmp_path / "file").write_bytes(b"x")
    assert atomicfile.read(tmp_path / "file") == b"x"


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("")
    path = tmp_path / "docker" / "daemon.json"
    attempts: list[Callable[[], None]] = [
        lambda: atomicfile.check_replaceable(path),
        lambda: atomicfile.replace(path, b"new"),
    ]
    for attempt in attempts:
        with pytest.raises(WriteFailed, match=str(tmp_path / "docker")):
            attempt()
    with pytest.raises(ConfigInvalid):
        atomicfile.read(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone sets attributes and mounts")
@pytest.mark.parametrize("attribute", ["i", "a"])
@pytest.mark.parametrize("of_folder", [False, True])
def test_an_immutable_file_or_folder_is_named(
    tmp_path: Path, attribute: str, *, of_folder: bool
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    locked = tmp_path if of_folder else path
    if subprocess.run(["chattr", f"+{attribute}", locked], check=False).returncode:
        pytest.skip("this file system has no attributes")
    try:
        with pytest.raises(WriteFailed) as caught:
            atomicfile.replace(path, b"new")
        assert caught.value.text.id == "immutable"
        assert str(locked) in caught.value.message
        assert path.read_text() == "old"
    finally:
        subprocess.run(["chattr", f"-{attribute}", locked], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone sets attributes and mounts")
@pytest.mark.parametrize(
    ("options", "message_id"), [("bind", "is-mount-point"), ("bind,ro", "on-read-only-mount")]
)
def test_a_mounted_file_is_named(tmp_path: Path, options: str, message_id: str) -> None:
    path, origin = tmp_path / "file", tmp_path / "origin"
    path.write_text("old")
    origin.write_text("other")
    subprocess.run(["mount", "-o", options, origin, path], check=True)
    try:
        with pytest.raises(WriteFailed) as caught:
            atomicfile.replace(path, b"new")
        assert caught.value.text.id == message_id
        assert path.read_text() == "other"
    finally:
        subprocess.run(["umount", path], check=True)
    assert path.read_text() == "old"


def test_a_file_that_is_its_writer_s_own_is_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox of the daemon forbids chown(2)."""

    def forbid(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", forbid)
    path = tmp_path / "file"
    for content in (b"one", b"two"):
        atomicfile.replace(path, content)
        assert path.read_bytes() == content
