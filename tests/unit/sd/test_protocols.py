# SPDX-License-Identifier: LGPL-2.1-or-later
"""What systemd and journald receive from a Python without systemd-python."""

from __future__ import annotations

import array
import logging
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockmgrd.sd import protocols

LARGE = 1 << 22  # more than a datagram of the kernel's default size


@pytest.fixture
def without_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("systemd", "systemd.daemon", "systemd.journal", "systemd._journal"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = tmp_path / "socket"
    monkeypatch.setattr(protocols, "JOURNAL_SOCKET", path)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.setblocking(False)
        yield receiver


@pytest.mark.usefixtures("without_binding")
def test_notify(listener: socket.socket) -> None:
    protocols.notify("READY=1\nSTATUS=Ready")
    assert listener.recv(1000) == b"READY=1\nSTATUS=Ready"


@pytest.mark.usefixtures("without_binding")
def test_notify_in_the_abstract_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0dockmgrd-test-{os.getpid()}")
        receiver.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@dockmgrd-test-{os.getpid()}")
        protocols.notify("WATCHDOG=1")
        assert receiver.recv(1000) == b"WATCHDOG=1"


@pytest.mark.usefixtures("without_binding")
def test_notify_of_a_program_that_systemd_did_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    protocols.notify("READY=1")


@pytest.mark.usefixtures("without_binding")
def test_fields_of_an_entry(listener: socket.socket) -> None:
    protocols.send_entry("MESSAGE=a=b", "TEXT=é\nsecond", "EMPTY=")
    lines = (
        b"MESSAGE=a=b\nTEXT\n" + (9).to_bytes(8, "little") + "é\nsecond".encode() + b"\nEMPTY=\n"
    )
    assert listener.recv(1000) == lines


@pytest.mark.usefixtures("without_binding")
def test_a_large_entry_is_a_sealed_file(listener: socket.socket) -> None:
    protocols.send_entry("MESSAGE=" + "x" * LARGE)
    descriptors = array.array("i")
    _, [(_, _, data)], _, _ = listener.recvmsg(1000, socket.CMSG_SPACE(descriptors.itemsize))
    descriptors.frombytes(data)
    with open(descriptors[0], "rb") as file:
        file.seek(0)
        assert file.read() == b"MESSAGE=" + b"x" * LARGE + b"\n"
        with pytest.raises(PermissionError):
            os.truncate(file.fileno(), 0)


@pytest.mark.usefixtures("without_binding")
def test_the_log(listener: socket.socket) -> None:
    logger = logging.Logger("dockmgrd.test", logging.DEBUG)
    logger.addHandler(protocols.make_journal_handler("dockmgrd-job"))
    for level, priority in (
        ("critical", 2),
        ("error", 3),
        ("warning", 4),
        ("info", 6),
        ("debug", 7),
    ):
        getattr(logger, level)("%d left", 3)
        fields = dict(line.split("=", 1) for line in listener.recv(10_000).decode().splitlines())
        assert (fields["MESSAGE"], fields["PRIORITY"]) == ("3 left", str(priority))
        assert fields["SYSLOG_IDENTIFIER"] == "dockmgrd-job"
        assert fields["LOGGER"] == "dockmgrd.test"
        assert fields["CODE_FILE"] == __file__
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("It failed")
    assert b"EXCEPTION_TEXT\n" in (entry := listener.recv(10_000))
    assert b"ValueError: broken" in entry


@pytest.mark.usefixtures("without_binding")
def test_a_journal_that_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(protocols, "JOURNAL_SOCKET", tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        protocols.send_entry("MESSAGE=lost")
    logger = logging.Logger("test")
    logger.addHandler(protocols.make_journal_handler("test"))
    logger.error("lost")
    assert "lost" in capsys.readouterr().err


def test_systemd_python_is_used_where_it_exists(listener: socket.socket) -> None:
    pytest.importorskip("systemd")
    protocols.notify("READY=1")
    assert listener.recv(1000) == b"READY=1"
    handler = protocols.make_journal_handler("test")
    assert type(handler).__module__ == "systemd.journal"
