# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders of dockmgrd's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.host.folders import delete_folder


def test_a_folder_is_deleted_and_what_links_point_to_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    folder = tmp_path / "folder"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").touch()
    (folder / "to-folder").symlink_to(outside)
    (folder / "a" / "to-file").symlink_to(outside / "file")
    (folder / "a" / "dangling").symlink_to("nowhere")
    delete_folder(folder)
    assert not folder.exists()
    assert (outside / "file").exists()


def test_what_is_no_folder_stays(tmp_path: Path) -> None:
    link = tmp_path / "link"
    (tmp_path / "folder").mkdir()
    link.symlink_to(tmp_path / "folder")
    with pytest.raises(NotADirectoryError):
        delete_folder(link)
    with pytest.raises(FileNotFoundError):
        delete_folder(tmp_path / "none")
    assert (tmp_path / "folder").is_dir()
