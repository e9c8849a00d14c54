# SPDX-License-Identifier: LGPL-2.1-or-later
"""The folders of registries below certs.d: which the engine reads, and what is in them.

The engine reads the first folder that exists: containerd's core/remotes/docker/config/hosts.go.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid, InvalidArgs
from dockmgrd.host import atomicfile
from dockmgrd.host.configured_mirrors import read_mirrors
from dockmgrd.mirror_urls import normalize_known, normalize_registry
from dockmgrd.names import DOCKER_HUB

if TYPE_CHECKING:
    from dockmgrd.host.hosts_toml import HostsToml

HOSTS_TOML = "hosts.toml"
DEFAULT_FOLDER = "_default"
ALL_REGISTRIES = "*"
"""The name under which the default folder is shown."""
_FOLDER_WITH_PORT = re.compile(r"(.+)_([0-9]+)_")


@dataclass(frozen=True)
class RegistryFile:
    """The hosts.toml file of a registry."""

    registry: str
    path: Path
    content: bytes | None
    """None where there is no file."""
    ours: HostsToml | None
    """What it says; None when there is none, or when it is not ours."""

    @property
    def is_foreign(self) -> bool:
        return self.content is not None and self.ours is None

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The mirrors that dockmgrd has set."""
        return self.ours.mirrors if self.ours else ()

    def to_plain(self) -> dict[str, Any]:
        """The registry as Status shows it."""
        return {
            "registry": self.registry,
            "mirrors": list(self.mirrors),
            "file": str(self.path),
            "managed": self.ours is not None,
        }


def find_folder(registry: str) -> Path:
    """The folder that the engine reads for the registry, or would read."""
    root = paths.REGISTRY_CERTIFICATES
    host, colon, port = registry.rpartition(":")
    if colon and os.path.exists(root / f"{host}_{port}_"):
        return root / f"{host}_{port}_"
    return root / registry


def read_file(registry: str) -> RegistryFile:
    """The hosts.toml file of the registry.

    :raises ConfigInvalid: when it cannot be read.
    """
    return _read_file(registry, find_folder(registry) / HOSTS_TOML)


def read_configured_mirrors(registry: str) -> tuple[str, ...]:
    """The mirrors of any registry that this host's files name now; none where it cannot be said."""
    if registry == DOCKER_HUB:
        return normalize_known(read_mirrors().mirrors)
    try:
        return read_file(registry).mirrors
    except ConfigInvalid:
        return ()


def read_files() -> tuple[RegistryFile, ...]:
    """All hosts.toml files that can be read, by the names of their registries."""
    found = []
    for folder in _list_folders():
        registry = _name_registry(folder.name)
        try:
            file = _read_file(registry, folder / HOSTS_TOML) if registry else None
        except ConfigInvalid:
            continue  # Nobody knows what it says. A change of these mirrors reports it.
        if file is not None and file.content is not None:
            found.append(file)
    return tuple(sorted(found, key=lambda file: file.registry))


def list_watched_files() -> list[Path]:
    """What is different when `read_files` may return something else."""
    folders = _list_folders()
    root = paths.REGISTRY_CERTIFICATES
    return [root, *folders, *(folder / HOSTS_TOML for folder in folders)]


def _read_file(registry: str, path: Path) -> RegistryFile:
    content = atomicfile.read(path)
    # The engine takes an empty file for none, but somebody may have put it there for a purpose.
    if content is None:
        return RegistryFile(registry, path, None, None)
    from dockmgrd.host import hosts_toml  # few hosts have such a file

    return RegistryFile(registry, path, content, hosts_toml.parse(registry, content))


def _list_folders() -> list[Path]:
    """The folders below certs.d; none where it cannot be read."""
    try:
        every = os.scandir(paths.REGISTRY_CERTIFICATES)
        return [Path(each) for each in every if os.path.isdir(each)]
    except OSError:
        return []


def _name_registry(folder: str) -> str:
    """The registry whose folder has this name; "" when the engine never reads that folder."""
    if folder == DEFAULT_FOLDER:
        return ALL_REGISTRIES
    match = _FOLDER_WITH_PORT.fullmatch(folder)
    name = f"{match[1]}:{match[2]}" if match else folder
    try:
        registry = normalize_registry(name)
    except InvalidArgs:
        return ""
    return registry if registry == name else ""
