# SPDX-License-Identifier: LGPL-2.1-or-later
"""How docker.service starts dockerd, and where a flag that clashes with daemon.json comes from."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import names
from dockmgrd.errors import ConfigConflict
from dockmgrd.host.systemd import Systemd, UnitState

_MIRROR_FLAG = "--registry-mirror"
_SERVICE = "org.freedesktop.systemd1.Service"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ASSIGNMENT = re.compile(r"\s*(\w+)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class CommandLine:
    """The words that systemd starts dockerd with, and the files that they come from."""

    words: tuple[str, ...]
    """Program first, every variable replaced by what it holds."""
    unit_files: tuple[Path, ...]
    environment_files: tuple[Path, ...]
    environment: Mapping[str, str]
    """The variables that the unit sets."""

    @classmethod
    async def read(cls, systemd: Systemd, unit: UnitState) -> CommandLine:
        """The command line of docker.service, which must be loaded; `unit` is its state."""
        commands, assignments, sources = await systemd.unit_properties(
            names.DOCKER_UNIT, _SERVICE, "ExecStart", "Environment", "EnvironmentFiles"
        )
        arguments: Sequence[str] = commands[-1][1] if commands else ()
        files = tuple(Path(path) for path, _ in sources)
        environment = _environment(assignments, files)
        return cls(
            words=tuple(_expanded(arguments, environment)),
            unit_files=tuple(Path(path) for path in (*unit.drop_ins, unit.fragment_path) if path),
            environment_files=files,
            environment=environment,
        )

    def check_mirrors(self) -> None:
        """:raises ConfigConflict: when mirrors are flags: dockerd takes them in one place alone."""
        if not any(word.split("=")[0] == _MIRROR_FLAG for word in self.words):
            return
        raise ConfigConflict(
            f"docker.service passes {_MIRROR_FLAG} to dockerd ({self._place(_MIRROR_FLAG)}), and "
            "dockerd would not start with mirrors in daemon.json too; take the option out first."
        )

    def value(self, flag: str) -> str:
        """What the flag is set to at last; "" when it is not there."""
        found = ""
        for word, following in zip(self.words, (*self.words[1:], "")):
            name, equals, value = word.partition("=")
            if name == flag:
                found = value if equals else following
        return found

    def _place(self, flag: str) -> str:
        """File and line of the flag: the file read last wins, so it is looked into first."""
        for path in (*reversed(self.environment_files), *self.unit_files):
            for number, line in enumerate(_lines(path), start=1):
                if flag in line and not line.lstrip().startswith(("#", ";")):
                    return f"{path}, line {number}"
        return ", ".join(map(str, self.unit_files))


def _environment(values: Sequence[str], files: Iterable[Path]) -> dict[str, str]:
    """The variables as systemd.exec(5) puts them together: files over what the unit says."""
    assignments = list(values)
    for path in files:
        assignments += [line for line in _lines(path) if not line.lstrip().startswith(("#", ";"))]
    found = (_ASSIGNMENT.fullmatch(each) for each in assignments)
    return {match[1]: match[2].strip().strip("\"'") for match in found if match}


def _expanded(words: Iterable[str], environment: Mapping[str, str]) -> Iterable[str]:
    """The words with their variables filled in: one that is a word of its own becomes several."""
    for word in words:
        whole = _VARIABLE.fullmatch(word)
        if whole and whole[2]:
            yield from _split(environment.get(whole[2], ""))
        else:
            yield _VARIABLE.sub(lambda found: environment.get(found[1] or found[2], ""), word)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _lines(path: Path) -> list[str]:
    """The lines of a file that may be missing or in any encoding."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
