# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which image store the engine of this host has: only with containerd's it reads hosts.toml."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import dockerd
from dockmgrd.host.dockerd import CommandLine
from dockmgrd.host.engine import EngineFacts
from dockmgrd.host.rpmdb import installed_versions
from dockmgrd.job.mirrors import change

_FEATURE = "containerd-snapshotter"
_FEATURE_FLAG = "--feature"
_DEFAULT_SINCE: dockerd.Version = (29, 0, 0)
"""The first version whose new installations have the containerd image store."""


class ImageStore(Enum):
    CONTAINERD = "containerd"
    CLASSIC = "classic"
    UNKNOWN = "unknown"


def find_image_store(facts: EngineFacts | None, command_line: CommandLine | None) -> ImageStore:
    """The store of the running engine, or the one that it will have when it starts.

    :param facts: None when no engine runs.
    :param command_line: None when no unit starts one.
    """
    if facts is not None:
        return ImageStore.CONTAINERD if facts.containerd_store else ImageStore.CLASSIC
    feature = _find_feature(command_line)
    if feature is not None:
        return ImageStore.CONTAINERD if feature else ImageStore.CLASSIC
    version = dockerd.parse_version(installed_versions().get("docker-ce", ""))
    # A later version keeps the classic store of an engine that has images in it.
    return ImageStore.CLASSIC if version and version < _DEFAULT_SINCE else ImageStore.UNKNOWN


def _find_feature(command_line: CommandLine | None) -> bool | None:
    """What the unit or daemon.json says of the store; None when neither does."""
    for value in command_line.get_values(_FEATURE_FLAG) if command_line else ():
        name, _, state = value.partition("=")
        if name == _FEATURE:
            return state.lower() not in ("false", "0")
    try:
        _, document = change.read_config()
    except ConfigInvalid:
        return None  # An engine does not start with this file, so it says nothing of one.
    features: Any = document.values.get("features")
    wanted = features.get(_FEATURE) if isinstance(features, Mapping) else None
    return wanted if isinstance(wanted, bool) else None
