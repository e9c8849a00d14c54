# SPDX-License-Identifier: LGPL-2.1-or-later
"""What daemon.json and the repository file say, for Status; parsed again only after a change."""

from __future__ import annotations

import configparser
import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import atomicfile, daemonjson, registry_folders
from dockmgrd.host.filecache import FileCache
from dockmgrd.host.registry_folders import RegistryFile
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import find_faults, normalize_known, strip_password
from dockmgrd.names import DOCKER_HUB


@dataclass(frozen=True)
class ConfiguredMirrors:
    """The registry mirrors and the keys of daemon.json, or why they are unknown."""

    mirrors: tuple[str, ...] = ()
    """Normalized as far as they are valid."""
    keys: frozenset[str] = frozenset()
    """The keys of the file."""
    problem: Text | None = None


@dataclass(frozen=True)
class Repository:
    """Where Docker's packages come from: base URL of the enabled section, "" without a file."""

    base_url: str = ""
    path: str = ""


class HostFiles:
    """The files that Status reads."""

    def __init__(self) -> None:
        self._mirrors = FileCache(lambda: [paths.DAEMON_JSON], _read_mirrors)
        self._repository = FileCache(lambda: [paths.REPOSITORY], _read_repository)
        self._registries = FileCache(
            registry_folders.list_watched_files, registry_folders.read_files
        )

    def mirrors(self) -> ConfiguredMirrors:
        return self._mirrors.get()

    def repository(self) -> Repository:
        return self._repository.get()

    def registries(self) -> tuple[RegistryFile, ...]:
        """The hosts.toml files of registries."""
        return self._registries.get()


def read_configured_mirrors(registry: str) -> tuple[str, ...]:
    """The mirrors of the registry that this host's files name now; none where it cannot be said."""
    if registry == DOCKER_HUB:
        return normalize_known(_read_mirrors().mirrors)
    try:
        return registry_folders.read_file(registry).mirrors
    except ConfigInvalid:
        return ()


def _read_mirrors() -> ConfiguredMirrors:
    path = paths.DAEMON_JSON
    try:
        content = atomicfile.read(path)
        if content is None and path.is_symlink():
            # Links into folders of users lead nowhere in the sandbox of the daemon.
            return ConfiguredMirrors(problem=_make_problem(path))
        document = daemonjson.parse(content or b"", str(path))
        return ConfiguredMirrors(document.mirrors, frozenset(document.values))
    except ConfigInvalid as error:
        if isinstance(error.__cause__, PermissionError) and path.is_symlink():
            return ConfiguredMirrors(problem=_make_problem(path))
        return ConfiguredMirrors(problem=error.text)


def find_unusable_mirrors(mirrors: Iterable[str]) -> list[Text]:
    """Each mirror of daemon.json that no engine can use, with the command that removes it."""
    problems = []
    for url, fault in find_faults(mirrors).items():
        name = strip_password(url)
        text = messages.MIRROR_UNUSABLE(mirror=name, file=str(paths.DAEMON_JSON), reason=fault)
        command = f"dockmgrctl set-mirror --remove {shlex.quote(name)}"
        problems.append(text.with_remedy(messages.REMOVE_OR_CORRECT_MIRROR(), command))
    return problems


def _make_problem(path: Path) -> Text:
    target = os.path.realpath(path)
    text = messages.CONFIG_LINK_UNREADABLE(file=str(path), target=target)
    return text.with_remedy(messages.LOOK_AT_FILE(), f"ls -lL {path}")


def _read_repository() -> Repository:
    path = paths.REPOSITORY
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        content = atomicfile.read(path)
        if content is None:
            return Repository()
        parser.read_string(content.decode("utf-8"))
    except (ConfigInvalid, ValueError, configparser.Error):
        return Repository(path=str(path))
    for section in parser.sections():
        if parser.get(section, "enabled", fallback="1") == "1":
            return Repository(parser.get(section, "baseurl", fallback=""), str(path))
    return Repository(path=str(path))
