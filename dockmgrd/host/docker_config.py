# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the host's own files say of Docker, each parsed again only when it has changed."""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import daemonjson

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """Something wrong on the host, and what mends it."""

    text: str
    remedy: str


@dataclass(frozen=True)
class ConfiguredMirrors:
    """The registry mirrors that daemon.json names, or why it cannot be said."""

    mirrors: tuple[str, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True)
class Repository:
    """Where Docker's packages come from: base URL of the enabled section, "" without a file."""

    base_url: str = ""
    path: str = ""


class HostFiles:
    """The files that Status looks into."""

    def __init__(self) -> None:
        self._daemon_json = _Parsed(paths.DAEMON_JSON, _parse_daemon_json, ConfiguredMirrors())
        self._repository = _Parsed(paths.REPOSITORY, _parse_repository, Repository())

    def mirrors(self) -> ConfiguredMirrors:
        return self._daemon_json.get()

    def repository(self) -> Repository:
        return self._repository.get()


class _Parsed(Generic[T]):
    """A file's content as `parse` reads it; `missing` where there is no such file."""

    def __init__(self, path: Path, parse: Callable[[Path], T], missing: T) -> None:
        self._path = path
        self._parse = parse
        self._missing = missing
        self._stamp: tuple[int, ...] | None = None
        self._value = missing

    def get(self) -> T:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self._stamp = None
            return self._missing
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._value = self._parse(self._path)
            self._stamp = stamp
        return self._value


def _parse_daemon_json(path: Path) -> ConfiguredMirrors:
    try:
        return ConfiguredMirrors(daemonjson.parse(path.read_bytes(), str(path)).mirrors)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}."
        return ConfiguredMirrors(problem=Problem(text, f"ls -l {path}"))
    except ConfigInvalid as error:
        return ConfiguredMirrors(problem=Problem(error.message, f"mend {path}"))


def _parse_repository(path: Path) -> Repository:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return Repository(path=str(path))
    for section in parser.sections():
        if parser.get(section, "enabled", fallback="1") == "1":
            return Repository(parser.get(section, "baseurl", fallback=""), str(path))
    return Repository(path=str(path))
