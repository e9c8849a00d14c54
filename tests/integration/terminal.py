# SPDX-License-Identifier: LGPL-2.1-or-later
"""A person at a terminal of a host, who answers prompts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bed.host import Host

# Runs on the host: a command on a terminal of its own. Each time that the prompt is shown, the
# keys are pressed. Prints the exit status and all that was to be seen.
_AT_A_TERMINAL = """
import json, os, pty, sys, termios, time

prompt, keys, command = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
seen, answered = "", 0
while True:
    try:
        new = os.read(terminal, 4096)
    except OSError:
        break
    if not new:
        break
    seen += new.decode(errors="replace")
    if seen.count(prompt) > answered:
        answered += 1
        # What is typed before the program has turned the echo off is thrown away.
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, keys.encode())
print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen, answered]))
"""


@dataclass(frozen=True)
class Seen:
    """What a person at a terminal saw: `prompts` is how often they were asked."""

    status: int
    text: str
    prompts: int


def at_a_terminal(
    host: Host, user: str, command: list[str], *, prompt: str, keys: str, language: str = "C.UTF-8"
) -> Seen:
    """Have a user with a session run a command on a terminal, and press the keys whenever the
    prompt, for what is not shown, appears.
    """
    request = json.dumps([prompt, keys, command])
    program = ("/usr/bin/python3", "-IBc", _AT_A_TERMINAL, request)
    done = host.run(*program, user=user, session=True, env={"LANG": language})
    return Seen(*json.loads(done.stdout))
