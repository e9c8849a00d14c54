# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stays on the host after Docker's packages are gone, and the commands that remove it.

None of it belongs to a package. It may have been changed or be used by others, so it is named and
not removed.
"""

from __future__ import annotations

import asyncio
import grp
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from dockmgrd.host import regular_files
from dockmgrd.messages import packages as messages
from dockmgrd.messages.text import Text
from dockmgrd.timeouts import within

_NETWORKS = Path("/sys/class/net")
_BRIDGE = re.compile(r"docker0|docker_gwbridge|br-[0-9a-f]{12}")
_GROUP = "docker"
_USERS = Path("/etc/passwd")
_CLIENT_FOLDER = ".docker"
_COMMAND_TIMEOUT = 10.0
_FIREWALLS = ("iptables", "ip6tables")


async def find_leftovers() -> list[Text]:
    """A sentence for each thing that Docker has left behind, with the command that removes it."""
    notes = [*_find_bridges()]
    for program in _FIREWALLS:
        notes += _find_rules(program, await _save_rules(program))
    return [*notes, *_find_group(), *_find_client_folders()]


def _find_bridges() -> Iterator[Text]:
    try:
        names = sorted(os.listdir(_NETWORKS))
    except OSError:
        return
    for name in names:
        if _BRIDGE.fullmatch(name) and os.path.isdir(_NETWORKS / name / "bridge"):
            text = messages.LEFTOVER_BRIDGE(bridge=name)
            yield text.with_remedy(messages.REMOVE_LEFTOVER(), f"ip link delete {name}")


async def _save_rules(program: str) -> str:
    """The rules as iptables-save(8) prints them; nothing when it is missing or fails."""
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    command = f"{program}-save"
    try:
        process = await asyncio.create_subprocess_exec(
            command, stdin=null, stdout=pipe, stderr=null
        )
    except OSError:
        return ""
    try:
        output, _ = await within(process.communicate(), _COMMAND_TIMEOUT)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return output.decode("utf-8", "replace")


def _find_rules(program: str, rules: str) -> Iterator[Text]:
    lines = rules.splitlines()
    if any(line.startswith(":DOCKER") for line in lines):
        text = messages.LEFTOVER_RULES(program=program)
        command = f"{program}-save | grep -v -e DOCKER -e docker0 | {program}-restore"
        yield text.with_remedy(messages.REMOVE_LEFTOVER(), command)
    if any(line.startswith(":FORWARD DROP") for line in lines):
        text = messages.LEFTOVER_POLICY(program=program)
        yield text.with_remedy(messages.RESET_POLICY(), f"{program} -P FORWARD ACCEPT")


def _find_group() -> Iterator[Text]:
    try:
        grp.getgrnam(_GROUP)
    except KeyError:
        return
    text = messages.LEFTOVER_GROUP(group=_GROUP)
    yield text.with_remedy(messages.REMOVE_LEFTOVER(), f"groupdel {_GROUP}")


def _find_client_folders() -> Iterator[Text]:
    """The settings of the docker command, of local users: other homes may be far away."""
    try:
        lines = regular_files.read_text(_USERS).splitlines()
    except OSError:
        return
    homes = {fields[5] for line in lines if len(fields := line.split(":")) > 5}
    for home in sorted(homes):
        folder = Path(home, _CLIENT_FOLDER)
        if home.startswith("/") and os.path.lexists(folder):
            text = messages.LEFTOVER_CLIENT_FOLDER(folder=str(folder))
            command = f"rm -r {shlex.quote(str(folder))}"
            yield text.with_remedy(messages.REMOVE_LEFTOVER(), command)
