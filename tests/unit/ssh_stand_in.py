# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for ssh, for tests of dockmgrctl --host."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from unit.cli_service import CHECKOUT, cli

__all__ = ["NO_LOCAL_BUS", "make_ssh", "there"]

_SSH = """#!{python}
import os, re, select, socket, sys

*options, host, command = sys.argv[1:]
with open("{folder}/called", "a") as file:
    print(*sys.argv[1:], file=file)
with open("{folder}/pid", "w") as file:
    file.write(str(os.getpid()))

def fail(code, *lines):
    sys.exit([print(line, file=sys.stderr) for line in lines] and code)

if host == "down":
    fail(255, "Warning: old", "ssh: connect to host down port 22: Connection refused")
if host == "key":
    fail(255, "@@@@@", "Host key verification failed.\\r")
if host == "silent":
    sys.exit(255)
if host == "bare":
    fail(127, "bash: line 1: systemd-stdio-bridge: command not found")
if host == "busless":
    fail(1, "Failed to start bus client: No such file or directory")
if host == "evil":
    fail(255, "\\x1b[31mred\\x1b]0;x\\x07")
if host == "noisy":
    print("Welcome to noisy", flush=True)
if host == "talkative":
    os.write(2, b"Warning: x\\n" * 100_000)
if command != "systemd-stdio-bridge":
    os.execvp("sh", ["sh", "-c", command])
kind, path = re.match("unix:(path|abstract)=([^,;]+)", os.environ["REMOTE_BUS"]).groups()
bus = socket.socket(socket.AF_UNIX)
bus.connect(path if kind == "path" else "\\0" + path)
while True:
    for ready in select.select([0, bus], [], [])[0]:
        data = os.read(ready if ready == 0 else bus.fileno(), 65536)
        if not data:
            sys.exit(0)
        os.write(1, data) if ready is bus else bus.sendall(data)
"""
NO_LOCAL_BUS = "unix:path=/nonexistent/bus"


@pytest.fixture(name="_ssh")
def make_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bus_address: str) -> None:
    """A stand-in for ssh, whose hosts have the test's bus unless their name says otherwise."""
    scripts = {
        "ssh": _SSH.format(python=sys.executable, folder=tmp_path),
        "journalctl": '#!/bin/sh\nprintf "%s\\n" "$@"\n[ "$1" = --quiet ]\n',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.setenv("REMOTE_BUS", bus_address)


async def there(*arguments: str) -> tuple[int, str, str]:
    """Run dockmgrctl on a host without a bus, for the other host."""
    return await cli(NO_LOCAL_BUS, "-H", "web1", *arguments)
