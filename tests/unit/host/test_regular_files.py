# SPDX-License-Identifier: LGPL-2.1-or-later
"""What others have put in the place of a file neither blocks a reader nor fills its memory."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockmgrd.catalog.platforms import Platform
from dockmgrd.host import engine_problems, regular_files, yamltree
from dockmgrd.host.adminconfig import FALLBACK, LimitsFile
from dockmgrd.host.containerd_places import ContainerdPlaces, read_places
from dockmgrd.host.environment_files import read_variables


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_terminal(path: Path) -> None:
    path.symlink_to("/dev/ptmx")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


MAKERS: Mapping[str, Callable[[Path], None]] = {
    "FIFO": os.mkfifo,
    "directory": os.mkdir,
    "socket": make_socket,
    "endless device": make_device,
    "terminal": make_terminal,
}


@pytest.fixture(params=list(MAKERS))
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "file"
    MAKERS[request.param](path)
    return path


def test_it_is_refused(special: Path) -> None:
    with pytest.raises(OSError, match=r"not a regular file|No such device"):
        regular_files.read_bytes(special)


def test_every_reader_goes_on(special: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = LimitsFile(special, special.with_name("good"))
    assert limits.current() == FALLBACK
    assert str(special) in str(limits.problem)
    with pytest.raises(OSError, match=r"not a regular file|No such device"):
        yamltree.read(special)
    assert read_variables([special]) == {}
    assert read_places(special) == ContainerdPlaces()
    assert Platform.read(special) == Platform("", "", "")
    monkeypatch.setattr(engine_problems, "PID_FILE", special)
    assert engine_problems._read_pid() == 0


@pytest.mark.parametrize("content", ["", "0", "-5", "x", "99999999999999999999", "\xff"])
def test_a_pid_file_without_a_pid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    path = tmp_path / "docker.pid"
    path.write_bytes(content.encode("latin-1"))
    monkeypatch.setattr(engine_problems, "PID_FILE", path)
    assert engine_problems._read_pid() == 0
    path.write_text("12\n")
    assert engine_problems._read_pid() == 12
