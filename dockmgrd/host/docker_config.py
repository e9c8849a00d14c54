# SPDX-License-Identifier: LGPL-2.1-or-later
"""What daemon.json and the repository file say, for Status; parsed again only after a change."""

from __future__ import annotations

import configparser
from dataclasses import dataclass

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import atomicfile, registry_folders
from dockmgrd.host.configured_mirrors import ConfiguredMirrors, read_mirrors
from dockmgrd.host.filecache import FileCache
from dockmgrd.host.hidden_files import describe_hidden, describe_unreadable, is_hidden
from dockmgrd.host.registry_folders import RegistryFile
from dockmgrd.messages.text import Text


@dataclass(frozen=True)
class Repository:
    """Where Docker's packages come from: base URL of the enabled section, "" without a file."""

    base_url: str = ""
    path: str = ""
    problem: Text | None = None
    """Why nobody can tell what the file says."""


class HostFiles:
    """The files that Status reads."""

    def __init__(self) -> None:
        self._mirrors = FileCache(lambda: [paths.DAEMON_JSON], read_mirrors)
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


def _read_repository() -> Repository:
    path = paths.REPOSITORY
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        content = atomicfile.read(path)
        if content is None and is_hidden(path):
            return Repository(path=str(path), problem=describe_hidden(path))
        if content is None:
            return Repository()
        parser.read_string(content.decode("utf-8"))
    except ConfigInvalid as error:
        return Repository(path=str(path), problem=describe_unreadable(path, error))
    except (ValueError, configparser.Error):
        return Repository(path=str(path))
    for section in parser.sections():
        if parser.get(section, "enabled", fallback="1") == "1":
            return Repository(parser.get(section, "baseurl", fallback=""), str(path))
    return Repository(path=str(path))
