# SPDX-License-Identifier: LGPL-2.1-or-later
"""hosts.toml files on disk: what stands in the way, what others put there, and what kills leave."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockmgrd import paths
from dockmgrd.errors import ConfigConflict, UnsafePath, WriteFailed
from dockmgrd.host import registry_folders
from dockmgrd.host.hosts_toml import Certificates, Endpoint, render
from dockmgrd.host.hosts_writer import HostsWriter
from dockmgrd.host.registry_certificates import read_certificates

OURS = render("ghcr.io", Endpoint(), [Endpoint("https://a.example/")], made_folder=True)
THEIRS = b'server = "https://ghcr.io"\n'


@pytest.fixture(autouse=True)
def certs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "docker" / "certs.d"
    monkeypatch.setattr(paths, "REGISTRY_CERTIFICATES", path)
    return path


@pytest.fixture
def folder(certs: Path) -> Path:
    return certs / "ghcr.io"


def names(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*")}


def test_a_folder_comes_and_goes_with_its_file(certs: Path, folder: Path) -> None:
    HostsWriter(folder, None).check()
    assert not certs.exists()
    HostsWriter(folder, None).write(OURS)
    assert names(certs) == {"ghcr.io", "ghcr.io/hosts.toml"}
    assert (folder / "hosts.toml").read_bytes() == OURS
    assert stat.S_IMODE((folder / "hosts.toml").stat().st_mode) == 0o644
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    HostsWriter(folder, OURS).delete(with_folder=True)
    assert names(certs) == set()


def test_files_of_others_keep_the_folder(certs: Path, folder: Path) -> None:
    HostsWriter(folder, None).write(OURS)
    (folder / "ca.crt").write_text("theirs")
    HostsWriter(folder, OURS).delete(with_folder=True)
    assert names(certs) == {"ghcr.io", "ghcr.io/ca.crt"}
    HostsWriter(folder, None).write(OURS)
    HostsWriter(folder, OURS).delete(with_folder=False)
    assert names(certs) == {"ghcr.io", "ghcr.io/ca.crt"}


def test_owner_and_mode_of_the_file_stay(folder: Path) -> None:
    folder.mkdir(parents=True)
    file = folder / "hosts.toml"
    file.write_bytes(OURS)
    file.chmod(0o640)
    os.chown(file, 0, 7)
    HostsWriter(folder, OURS).write(THEIRS)
    status = file.stat()
    assert (file.read_bytes(), stat.S_IMODE(status.st_mode), status.st_gid) == (THEIRS, 0o640, 7)


@pytest.mark.parametrize("present", [None, THEIRS])
def test_what_was_changed_meanwhile_is_left_alone(folder: Path, present: bytes | None) -> None:
    folder.mkdir(parents=True)
    if present is not None:
        (folder / "hosts.toml").write_bytes(present)
    changes: list[Callable[[HostsWriter], None]] = [
        HostsWriter.check,
        lambda writer: writer.write(OURS),
        lambda writer: writer.delete(with_folder=True),
    ]
    for change in changes:
        with pytest.raises(ConfigConflict, match="was changed by others"):
            change(HostsWriter(folder, OURS))
    assert (folder / "hosts.toml").exists() is (present is not None)
    assert names(folder) <= {"hosts.toml"}


def _link_certs(certs: Path, elsewhere: Path) -> None:
    certs.parent.mkdir()
    certs.symlink_to(elsewhere)


def _link_folder(certs: Path, elsewhere: Path) -> None:
    certs.mkdir(parents=True)
    (certs / "ghcr.io").symlink_to(elsewhere)


def _link_file(certs: Path, elsewhere: Path) -> None:
    (certs / "ghcr.io").mkdir(parents=True)
    (certs / "ghcr.io" / "hosts.toml").symlink_to(elsewhere / "hosts.toml")


def _link_above(certs: Path, elsewhere: Path) -> None:
    certs.parent.symlink_to(elsewhere)


def _put_file(certs: Path, elsewhere: Path) -> None:
    certs.parent.mkdir()
    certs.write_text("no folder")


def _open_own_folder(certs: Path, elsewhere: Path) -> None:
    (certs / "ghcr.io").mkdir(parents=True)
    (certs / "ghcr.io").chmod(0o775)


def _open_folder(certs: Path, elsewhere: Path) -> None:
    (certs / "ghcr.io").mkdir(parents=True)
    certs.chmod(0o777)


@pytest.mark.parametrize(
    "arrange",
    [_link_certs, _link_folder, _link_file, _link_above, _put_file, _open_folder, _open_own_folder],
)
def test_nothing_is_written_through_a_link(
    certs: Path, folder: Path, tmp_path: Path, arrange: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "hosts.toml").write_bytes(THEIRS)
    arrange(certs, elsewhere)
    for change in (HostsWriter(folder, None).check, lambda: HostsWriter(folder, None).write(OURS)):
        with pytest.raises(UnsafePath) as caught:
            change()
        assert str(folder.parent.parent) in caught.value.message
        assert caught.value.text.remedy is not None
    assert names(elsewhere) == {"hosts.toml"}
    assert (elsewhere / "hosts.toml").read_bytes() == THEIRS


def test_a_folder_in_the_place_of_the_file(folder: Path) -> None:
    (folder / "hosts.toml").mkdir(parents=True)
    with pytest.raises((ConfigConflict, WriteFailed, UnsafePath)):
        HostsWriter(folder, None).write(OURS)
    assert names(folder) == {"hosts.toml"}


class _Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Have the process end before its n-th change of the file system."""
    steps = ("mkdir", "open", "rename", "replace", "unlink", "rmdir", "fsync")
    real = {name: getattr(os, name) for name in steps}
    left = [0]

    def stop_at(count: int) -> None:
        left[0] = count

    def make(name: str) -> Callable[..., object]:
        def step(*args: object, **keywords: object) -> object:
            left[0] -= 1
            if left[0] == 0:
                for each, function in real.items():
                    monkeypatch.setattr(os, each, _die if each in ("unlink", "rmdir") else function)
                raise _Killed
            return real[name](*args, **keywords)

        return step

    def _die(*_: object, **__: object) -> None:
        raise _Killed  # A killed process does not clean up.

    def arm(count: int) -> None:
        stop_at(count)
        for name in steps:
            monkeypatch.setattr(os, name, make(name))

    yield arm
    monkeypatch.undo()


@pytest.mark.parametrize("certificate", [False, True])
def test_a_kill_at_any_step_loses_nothing_of_others(
    certs: Path,
    folder: Path,
    kill_at: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    certificate: bool,
) -> None:
    """Create, change and delete, each killed before each of its steps; the next run succeeds."""
    new = render("ghcr.io", Endpoint(), [Endpoint("https://b.example/")], made_folder=True)
    count = 0
    for before, after in ((None, OURS), (OURS, new), (new, None)):
        step = 0
        while True:
            step += 1
            if certificate:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "ca.crt").write_text("theirs")
            with monkeypatch.context():
                kill_at(step)
                try:
                    _change(folder, before, after)
                    finished = True
                except _Killed:
                    finished = False
                monkeypatch.undo()
            monkeypatch.setattr(paths, "REGISTRY_CERTIFICATES", certs)
            count += not finished
            present = registry_folders.read_file("ghcr.io").content
            assert present in (before, after)
            if certificate:
                assert (folder / "ca.crt").read_text() == "theirs"
            if present != after:
                _change(folder, before, after)
            assert registry_folders.read_file("ghcr.io").content == after
            if finished:
                break
            _change(folder, after, before)
            assert registry_folders.read_file("ghcr.io").content == before
    assert count > 20
    kept = {"ghcr.io", "ghcr.io/ca.crt"} if certificate else set()
    assert names(certs) == kept


def _change(folder: Path, before: bytes | None, after: bytes | None) -> None:
    writer = HostsWriter(folder, before)
    if after is not None:
        writer.write(after)
    elif before is not None:
        writer.delete(with_folder=True)


def test_which_folder_the_engine_reads(certs: Path) -> None:
    assert registry_folders.find_folder("a.example:5000") == certs / "a.example:5000"
    (certs / "a.example:5000").mkdir(parents=True)
    (certs / "a.example_5000_").mkdir()
    assert registry_folders.find_folder("a.example:5000") == certs / "a.example_5000_"
    assert registry_folders.find_folder("a.example") == certs / "a.example"


def test_the_files_of_all_registries(certs: Path) -> None:
    HostsWriter(certs / "ghcr.io", None).write(OURS)
    for name in ("_default", "docker.io", "a.example_5000_", "UPPER.example", "empty.example"):
        (certs / name).mkdir()
        if name != "empty.example":
            (certs / name / "hosts.toml").write_bytes(THEIRS)
    (certs / "loop.example").mkdir()
    (certs / "loop.example" / "hosts.toml").symlink_to("hosts.toml")
    plain = [each.to_plain() for each in registry_folders.read_files()]
    assert [(each["registry"], each["mirrors"], each["managed"]) for each in plain] == [
        ("*", [], False),
        ("a.example:5000", [], False),
        ("docker.io", [], False),
        ("ghcr.io", ["https://a.example/"], True),
    ]
    assert plain[1]["file"] == str(certs / "a.example_5000_" / "hosts.toml")


def test_certificates_as_the_engine_loads_them(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("b.crt", "a.crt", "one.cert", "one.key", "two.cert", "x.key", "note.txt"):
        (folder / name).write_text(name)
    (folder / "folder.crt").mkdir()
    assert read_certificates(folder, relative=True) == Certificates(
        ("a.crt", "b.crt"), (("one.cert", "one.key"), ("two.cert", "two.cert"))
    )
    absolute = read_certificates(folder, relative=False)
    assert absolute.authorities == (f"{folder}/a.crt", f"{folder}/b.crt")
    assert read_certificates(folder / "missing", relative=True) == Certificates()
    (folder / os.fsdecode(b"\xff.crt")).write_text("")
    with pytest.raises(ConfigConflict, match="is not UTF-8"):
        read_certificates(folder, relative=True)
