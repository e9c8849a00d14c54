# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the engine of this host uses hosts.toml files: by its version and its image store."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import atomicfile, daemonjson, dockerd
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.engine_answers import EngineFacts

_FEATURE = "containerd-snapshotter"
_FEATURE_FLAG = "--feature"
_NEVER_BEFORE: dockerd.Version = (27, 0, 0)
"""Tried: 26.1 takes no notice of the files, also with the containerd image store."""
_ALWAYS_SINCE: dockerd.Version = (28, 0, 0)
"""Tried: 28.5 uses them if it has that store. Versions between the two were not tried."""
_STORE_BY_DEFAULT_SINCE: dockerd.Version = (29, 0, 0)


class HostsSupport(Enum):
    """Why the engine uses hosts.toml files, or does not."""

    USED = "used"
    CLASSIC_STORE = "classic-store"
    OLD_ENGINE = "old-engine"
    UNKNOWN = "unknown"


def judge_running_engine(facts: EngineFacts) -> HostsSupport:
    """Whether the running engine uses the files."""
    return _judge(dockerd.parse_version(facts.version), store=facts.containerd_store)


def judge_stopped_engine(
    version: dockerd.Version | None, command_line: CommandLine | None
) -> HostsSupport:
    """Whether the engine will use the files when it starts.

    :param version: the installed one; None when there is none.
    :param command_line: None when no unit starts an engine.
    """
    store = _find_feature(command_line)
    if store is None and version is not None and version < _STORE_BY_DEFAULT_SINCE:
        store = False
    # A later version keeps the classic store of an engine that has images in it.
    return _judge(version, store=store)


def _judge(version: dockerd.Version | None, *, store: bool | None) -> HostsSupport:
    if version is not None and version < _NEVER_BEFORE:
        return HostsSupport.OLD_ENGINE
    if store is False:
        return HostsSupport.CLASSIC_STORE
    if store is None or (version is not None and version < _ALWAYS_SINCE):
        return HostsSupport.UNKNOWN
    return HostsSupport.USED


def _find_feature(command_line: CommandLine | None) -> bool | None:
    """What the unit or daemon.json says of the image store; None when neither does."""
    for value in command_line.get_values(_FEATURE_FLAG) if command_line else ():
        name, _, state = value.partition("=")
        if name == _FEATURE:
            return state.lower() not in ("false", "0")
    try:
        content = atomicfile.read(paths.DAEMON_JSON)
        document = daemonjson.parse(content or b"", str(paths.DAEMON_JSON))
    except ConfigInvalid:
        return None  # An engine does not start with this file, so it says nothing of one.
    features: Any = document.values.get("features")
    wanted = features.get(_FEATURE) if isinstance(features, Mapping) else None
    return wanted if isinstance(wanted, bool) else None
