# SPDX-License-Identifier: LGPL-2.1-or-later
"""How this host starts dockerd: its flags and its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import names, paths
from dockmgrd.errors import ConfigConflict, ConfigInvalid
from dockmgrd.host import atomicfile, daemonjson, regular_files
from dockmgrd.host.environment_files import find_files, read_variables
from dockmgrd.host.exec_words import expand_words, find_program
from dockmgrd.host.systemd import SERVICE_INTERFACE, Systemd
from dockmgrd.host.units import UnitState
from dockmgrd.messages import engine as messages

_MIRROR_FLAG = "--registry-mirror"
CONFIG_FLAG = "--config-file"
_DATA_ROOT_FLAGS = ("--data-root", "--graph", "-g")  # the last two until 17.05 and 23.0
_PROGRAM = "dockerd"
_LOCAL_SOCKETS = ("", str(paths.DOCKER_SOCKET), "/var/run/docker.sock")


@dataclass(frozen=True)
class CommandLine:
    """The words that systemd starts dockerd with, and the files that they come from."""

    words: tuple[str, ...]
    """Program first, every variable replaced by what it holds. See `find_program`."""
    unit_files: tuple[Path, ...]
    environment_files: tuple[Path, ...]
    environment: Mapping[str, str]
    """The variables that the unit sets."""

    @classmethod
    async def read(
        cls,
        systemd: Systemd,
        unit: UnitState,
        name: str = names.DOCKER_UNIT,
        program: str = _PROGRAM,
    ) -> CommandLine:
        """The command line of the service, which must be loaded.

        :param unit: the state of the service.
        :param name: the name of the service.
        :param program: the program that it starts in the end.
        """
        commands, assignments, sources = await systemd.get_properties(
            name, SERVICE_INTERFACE, "ExecStart", "Environment", "EnvironmentFiles"
        )
        # What runs, and not what it is told to be called, which may be something else.
        words = [commands[-1][0], *commands[-1][1][1:]] if commands else []
        files = find_files(path for path, _ in sources)
        environment = {
            **dict(each.partition("=")[::2] for each in assignments),
            **read_variables(files),
        }
        return cls(
            words=tuple(find_program(program, expand_words(words, environment), environment)),
            unit_files=tuple(Path(path) for path in (*unit.drop_ins, unit.fragment_path) if path),
            environment_files=files,
            environment=environment,
        )

    @property
    def starts_dockerd(self) -> bool:
        """Whether dockerd is what the words start, not a script of the admin's, for one."""
        return bool(self.words) and Path(self.words[0]).name == _PROGRAM

    def check_mirrors(self) -> None:
        """Check that mirrors in daemon.json would take effect.

        :raises ConfigConflict: when mirrors are flags, which dockerd accepts in one place only, or
            when dockerd reads another configuration file.
        """
        if self.has_flag(_MIRROR_FLAG):
            text = messages.FLAG_IN_UNIT(flag=_MIRROR_FLAG, place=self.find_place(_MIRROR_FLAG))
            remedy = messages.REMOVE_FLAG()
            raise ConfigConflict(text.with_remedy(remedy, f"systemctl edit {names.DOCKER_UNIT}"))
        if self.config_file != paths.DAEMON_JSON:
            text = messages.OTHER_CONFIG_FILE(
                file=str(self.config_file),
                ours=str(paths.DAEMON_JSON),
                flag=CONFIG_FLAG,
                place=self.find_place(CONFIG_FLAG),
            )
            raise ConfigConflict(text.with_remedy(messages.USE_ONE_CONFIG_FILE()))

    @property
    def config_file(self) -> Path:
        """The configuration file that dockerd reads."""
        return Path(self.get_value(CONFIG_FLAG) or paths.DAEMON_JSON)

    @property
    def data_roots(self) -> tuple[Path, ...]:
        """The data roots that flags name; a flag wins over the configuration file."""
        return tuple(Path(each) for flag in _DATA_ROOT_FLAGS if (each := self.get_value(flag)))

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The registry mirrors that flags name."""
        return self.get_values(_MIRROR_FLAG)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The sockets that flags or the configuration file name; none for dockerd's default."""
        attached = [
            word[2:] for word in self.words if word.startswith("-H") and word[2:3] not in ("", "=")
        ]
        flags = (*self.get_values("-H"), *self.get_values("--host"), *attached)
        return flags or _read_configured_hosts(self.config_file)

    @property
    def has_local_socket(self) -> bool:
        """Whether dockerd listens where this host looks for it."""
        return not self.hosts or any(map(_is_local, self.hosts))

    def has_flag(self, flag: str) -> bool:
        return any(word.split("=")[0] == flag for word in self.words)

    def get_value(self, flag: str) -> str:
        """The last value of the flag; "" when it is missing."""
        return ("", *self.get_values(flag))[-1]

    def get_values(self, flag: str) -> tuple[str, ...]:
        """All values of a flag that may occur several times."""
        found = []
        for word, following in zip(self.words, (*self.words[1:], "")):
            name, equals, value = word.partition("=")
            if name == flag:
                found.append(value if equals else following)
        return tuple(found)

    def find_place(self, flag: str) -> str:
        """File and line of the flag; the file that is read last wins, so it is searched first."""
        for path in (*reversed(self.environment_files), *self.unit_files):
            for number, line in enumerate(_read_lines(path), start=1):
                if flag in line and not line.lstrip().startswith(("#", ";")):
                    return f"{path}, line {number}"
        return ", ".join(map(str, self.unit_files))


def _is_local(host: str) -> bool:
    scheme, _, path = host.partition("://")
    return scheme == "fd" or (scheme == "unix" and path in _LOCAL_SOCKETS)


def _read_configured_hosts(configuration: Path) -> tuple[str, ...]:
    """The sockets that a configuration file names; none for one that cannot be read."""
    try:
        content = atomicfile.read(configuration) or b""
        hosts = daemonjson.parse(content, str(configuration)).values.get("hosts")
    except ConfigInvalid:
        return ()
    return tuple(map(str, hosts)) if isinstance(hosts, list) else ()


def _read_lines(path: Path) -> list[str]:
    """The lines of a file that may be missing or in any encoding."""
    try:
        return regular_files.read_text(path).splitlines()
    except OSError:
        return []
