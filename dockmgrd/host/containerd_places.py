# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where containerd keeps its data and its state, whatever starts it and however it is configured.

Flags win over the configuration, and a file that it imports wins over the file itself (containerd:
cmd/containerd/command/main.go, cmd/containerd/server/config). All places that anything names count:
who asks wants to know where data could be.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import names
from dockmgrd.host import regular_files
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.processes import HostProcess, find_processes
from dockmgrd.host.systemd import Systemd

DEFAULT_ROOT = Path("/var/lib/containerd")
DEFAULT_STATE = Path("/run/containerd")
CONFIGURATION = Path("/etc/containerd/config.toml")
_PROGRAM = "containerd"
_STOPPED_UNITS = (names.CONTAINERD_UNIT, names.DOCKER_UNIT)  # dockerd may start one itself
_MAX_FILES = 100
_SETTING = re.compile(r"""^\s*(root|state)\s*=\s*["']([^"'\n]+)["']""", re.M)
_IMPORTS = re.compile(r"^\s*imports\s*=\s*\[([^\]]*)\]", re.M)
_STRING = re.compile(r"""["']([^"'\n]+)["']""")
_TABLE = re.compile(r"^\s*\[", re.M)


@dataclass(frozen=True)
class ContainerdPlaces:
    """The folders that a containerd of this host uses, or would use when it starts."""

    roots: tuple[Path, ...] = (DEFAULT_ROOT,)
    """Folders of data, each once."""
    states: tuple[Path, ...] = (DEFAULT_STATE,)
    """Folders of what runs."""
    used_roots: tuple[Path, ...] = ()
    """Those folders of data that a containerd uses that an uninstallation does not stop."""

    def with_former(self, former: ContainerdPlaces) -> ContainerdPlaces:
        """These, and those that a service had which is gone by now."""
        return ContainerdPlaces(
            roots=_list_once((*self.roots, *former.roots)),
            states=_list_once((*self.states, *former.states)),
            used_roots=self.used_roots,
        )


async def find_containerd_places(systemd: Systemd) -> ContainerdPlaces:
    """The places of containerd.service, and of every containerd that runs on this host itself."""
    running = find_processes(_PROGRAM)
    unit = await systemd.get_state(names.CONTAINERD_UNIT)
    words: Sequence[str] = ()
    if unit.load_state == "loaded":
        words = (await CommandLine.read(systemd, unit, names.CONTAINERD_UNIT, _PROGRAM)).words
    return join_places(running, words)


def join_places(running: Sequence[HostProcess], words: Sequence[str]) -> ContainerdPlaces:
    """The places of those that run, and of the service with this command line."""
    others = [each for each in running if each.unit not in _STOPPED_UNITS]
    every = [_list_places(each) for each in (*(process.words for process in running), words)]
    return ContainerdPlaces(
        roots=_list_once(path for each in every for path in each.roots),
        states=_list_once(path for each in every for path in each.states),
        used_roots=_list_once(path for each in others for path in _list_places(each.words).roots),
    )


def _list_places(words: Sequence[str]) -> ContainerdPlaces:
    """The places that a command line stands for, the program first."""
    command_line = CommandLine(tuple(words), (), (), {})
    config = command_line.get_value("--config") or command_line.get_value("-c")
    return read_places(
        Path(config) if config else CONFIGURATION,
        root=command_line.get_value("--root"),
        state=command_line.get_value("--state"),
    )


def read_places(configuration: Path, root: str = "", state: str = "") -> ContainerdPlaces:
    """The places that the configuration, and what it imports, name.

    :param root: the flag of that name, as `state`; "" when it is missing.
    """
    found: dict[str, list[str]] = {"root": [root], "state": [state]}
    for text in _read_files(configuration):
        for name, value in _SETTING.findall(text):
            found[name].append(value)
    return ContainerdPlaces(
        roots=_list_once(map(Path, filter(None, found["root"]))) or (DEFAULT_ROOT,),
        states=_list_once(map(Path, filter(None, found["state"]))) or (DEFAULT_STATE,),
    )


def _read_files(configuration: Path) -> Iterator[str]:
    """What the files say before their first table, where all of this is."""
    waiting = [configuration]
    seen: set[Path] = set()
    while waiting and len(seen) < _MAX_FILES:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            text = regular_files.read_text(file)
        except OSError:
            continue
        table = _TABLE.search(text)
        text = text[: table.start()] if table else text
        yield text
        for imports in _IMPORTS.findall(text):
            for pattern in _STRING.findall(imports):
                # Versions take a relative pattern from the file's folder, or from their own.
                for folder in (file.parent, "/"):
                    waiting += map(Path, sorted(glob.glob(os.path.join(folder, pattern))))


def _list_once(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))
