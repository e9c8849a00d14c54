# SPDX-License-Identifier: LGPL-2.1-or-later
"""A person at a terminal of a host, who answers whatever is asked."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bed.host import Host

COLUMNS, ROWS = 80, 50

# Runs on the host: a script in a shell on a terminal of its own.
_AT_A_TERMINAL = """
import fcntl, json, os, pty, struct, sys, termios, time

prompt, keys, hidden, folder, script, columns, rows = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.chdir(folder)
    size = struct.pack("HHHH", rows, columns, 0, 0)
    fcntl.ioctl(0, termios.TIOCSWINSZ, size)
    os.execvp("bash", ["bash", "-euo", "pipefail", "-c", script])
seen, answered = b"", 0
while True:
    try:
        new = os.read(terminal, 4096)
    except OSError:
        break
    if not new:
        break
    seen += new
    if seen.count(prompt.encode()) > answered:
        answered += 1
        # What is typed before the program has turned the echo off is thrown away.
        while hidden and termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, keys.encode())
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps([status, seen.decode(errors="replace"), answered]))
"""


@dataclass(frozen=True)
class Answer:
    """The keys that are pressed whenever the prompt appears."""

    prompt: str
    keys: str
    hidden: bool = False
    """What is typed is not shown, as for a password."""


YES = Answer("[y/N]", "y\n")


@dataclass(frozen=True)
class Seen:
    """What was to be seen, control sequences included, and how the script ended."""

    status: int
    text: str
    prompts: int
    """How often the answer was given."""


def run(
    host: Host,
    script: str,
    *,
    answer: Answer = YES,
    user: str = "root",
    folder: str = "/",
    env: Mapping[str, str] | None = None,
) -> Seen:
    """Run a script for bash as that user on a terminal, until its end or first failure."""
    request = json.dumps([*astuple(answer), folder, script, COLUMNS, ROWS])
    done = host.run(
        *("/usr/bin/python3", "-IBc", _AT_A_TERMINAL, request),
        user=user,
        session=user != "root",
        env={"TERM": "xterm-256color", **(env or {})},
    )
    return Seen(*json.loads(done.stdout))
