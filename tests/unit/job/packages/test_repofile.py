# SPDX-License-Identifier: LGPL-2.1-or-later
"""The repository file: its contents, and that a file of others is never lost."""

from __future__ import annotations

import configparser
import dataclasses
import os
from pathlib import Path

import pytest

from dockmgrd.catalog.platforms import Tree
from dockmgrd.catalog.sources import Key, Source
from dockmgrd.errors import WriteFailed
from dockmgrd.job.packages.repofile import Repository, RepositoryFile

SOURCE = Source(
    name="aliyun",
    title="Alibaba Cloud",
    prefix="https://mirrors.aliyun.com/docker-ce",
    region="cn",
    notes="",
    key=Key(Path("/usr/share/dockmgrd/keys/docker-ce-rpm.asc"), "0" * 40),
)
REPOSITORY = Repository(SOURCE, Tree("centos", "9"), "stable")
OTHER = dataclasses.replace(REPOSITORY, channel="test")
FOREIGN = b"[docker-ce-stable]\nname=Docker CE Stable - $basearch\n"


class Interruption(BaseException):
    """What ends the context from outside."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "docker-ce.repo"


def write(path: Path, repository: Repository = REPOSITORY) -> bool:
    with RepositoryFile(path).replaced_by(repository) as changed:
        return changed


def interrupt(path: Path) -> None:
    with RepositoryFile(path).replaced_by(REPOSITORY):
        assert path.read_text() == REPOSITORY.content()
        raise Interruption


def everything(path: Path) -> dict[str, tuple[bytes, int]]:
    return {each.name: (each.read_bytes(), each.stat().st_ino) for each in path.parent.iterdir()}


def test_contents_of_the_file(path: Path) -> None:
    assert write(path)
    text = path.read_text()
    assert text.startswith("# Written by dockmgrd")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    assert parser.sections() == ["docker-ce-stable"]
    assert dict(parser["docker-ce-stable"]) == {
        "name": "Docker CE stable (aliyun)",
        "baseurl": "https://mirrors.aliyun.com/docker-ce/linux/centos/9/$basearch/stable",
        "enabled": "1",
        "gpgcheck": "1",
        "repo_gpgcheck": "0",
        "gpgkey": "file:///usr/share/dockmgrd/keys/docker-ce-rpm.asc",
    }
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("tree", "expected"),
    [(Tree("rhel", "8"), True), (Tree("rhel", "10"), False), (Tree("fedora", "43"), False)],
)
def test_modules_hide_docker_only_on_el_8(tree: Tree, expected: bool) -> None:
    text = dataclasses.replace(REPOSITORY, tree=tree).content()
    assert ("module_hotfixes=1\n" in text) is expected


def test_writing_again_changes_nothing(path: Path) -> None:
    write(path)
    before = everything(path)
    assert not write(path)
    assert everything(path) == before


def test_a_file_of_another_release_is_kept(path: Path) -> None:
    """Only the comment at the top differs; a change of the settings is written."""
    write(path)
    comment, _, settings = path.read_text().partition("\n")
    older = f"{comment} It had another wording.\n{settings}"
    path.write_text(older)
    assert RepositoryFile(path).plan_change(REPOSITORY) is None
    assert not write(path)
    assert path.read_text() == older
    path.write_text(older.replace("enabled=1", "enabled=0"))
    assert RepositoryFile(path).plan_change(REPOSITORY) is not None
    assert write(path)
    assert path.read_text() == f"{comment}\n{settings}"


def test_a_file_of_others_is_saved_and_restored(path: Path) -> None:
    path.write_bytes(FOREIGN)
    path.chmod(0o600)
    before = everything(path)
    assert write(path)
    assert (path.parent / "docker-ce.repo.dockmgrd-saved").read_bytes() == FOREIGN
    assert write(path, OTHER)
    assert len(everything(path)) == 2
    assert RepositoryFile(path).remove()
    assert everything(path) == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert not RepositoryFile(path).remove(), "it is not ours"
    assert everything(path) == before


def test_a_saved_file_is_not_overwritten(path: Path) -> None:
    path.write_bytes(FOREIGN)
    write(path)
    path.write_bytes(b"[second]\n")
    write(path)
    saved = {name: content for name, (content, _) in everything(path).items()}
    assert saved["docker-ce.repo.dockmgrd-saved"] == FOREIGN
    assert saved["docker-ce.repo.dockmgrd-saved-2"] == b"[second]\n"
    RepositoryFile(path).remove()
    assert path.read_bytes() == FOREIGN


@pytest.mark.parametrize("before", [None, FOREIGN, b"", OTHER.content().encode()])
def test_a_failure_leaves_all_as_it_was(path: Path, before: bytes | None) -> None:
    if before is not None:
        path.write_bytes(before)
    names = set(os.listdir(path.parent))
    with pytest.raises(Interruption):
        interrupt(path)
    assert set(os.listdir(path.parent)) == names
    if before is not None:
        assert path.read_bytes() == before


def test_a_failure_after_nothing_was_changed(path: Path) -> None:
    write(path)
    before = everything(path)
    with pytest.raises(Interruption):
        interrupt(path)
    assert everything(path) == before


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_kept_as_a_link(path: Path, exists: bool) -> None:
    target = path.parent / "elsewhere"
    if exists:
        target.write_bytes(FOREIGN)
    path.symlink_to(target)
    write(path)
    assert not path.is_symlink()
    assert not exists or target.read_bytes() == FOREIGN
    RepositoryFile(path).remove()
    assert path.readlink() == target


def test_taking_away(path: Path) -> None:
    assert not RepositoryFile(path).remove()
    write(path)
    assert RepositoryFile(path).remove()
    assert os.listdir(path.parent) == []


def test_a_file_of_which_only_the_saved_one_is_left_comes_back(path: Path) -> None:
    path.write_bytes(FOREIGN)
    write(path)
    path.unlink()
    assert RepositoryFile(path).remove()
    assert path.read_bytes() == FOREIGN


def test_changes_in_a_plan(path: Path) -> None:
    file = RepositoryFile(path)
    assert file.plan_change(None) is None
    change = file.plan_change(REPOSITORY)
    assert change is not None
    assert (change.before, change.after) == (None, REPOSITORY.content().encode())
    path.write_bytes(FOREIGN)
    path.chmod(0o600)
    assert file.plan_change(None) is None, "a file of others stays"
    write(path)
    assert file.plan_change(REPOSITORY) is None
    change = file.plan_change(None)
    assert change is not None
    assert change.after == FOREIGN
    assert not change.public, "what only root could read is not shown"
    path.unlink()
    change = file.plan_change(None)
    assert change is not None
    assert (change.before, change.after) == (None, FOREIGN)


def test_unreadable_files_are_reported(path: Path) -> None:
    path.mkdir()
    with pytest.raises(WriteFailed, match=r"docker-ce.repo is not a regular file but a directory"):
        write(path)
