# SPDX-License-Identifier: LGPL-2.1-or-later
"""The registry mirrors that daemon.json names."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import atomicfile, daemonjson
from dockmgrd.host.hidden_files import describe_hidden, describe_unreadable, is_hidden
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import find_faults, strip_password


@dataclass(frozen=True)
class ConfiguredMirrors:
    """The registry mirrors and the keys of daemon.json, or why they are unknown."""

    mirrors: tuple[str, ...] = ()
    """Normalized as far as they are valid."""
    keys: frozenset[str] = frozenset()
    """The keys of the file."""
    problem: Text | None = None


def read_mirrors() -> ConfiguredMirrors:
    """The mirrors of Docker Hub in daemon.json."""
    path = paths.DAEMON_JSON
    try:
        content = atomicfile.read(path)
        if content is None and is_hidden(path):
            return ConfiguredMirrors(problem=describe_hidden(path))
        document = daemonjson.parse(content or b"", str(path))
        return ConfiguredMirrors(document.mirrors, frozenset(document.values))
    except ConfigInvalid as error:
        return ConfiguredMirrors(problem=describe_unreadable(path, error))


def find_unusable_mirrors(mirrors: Iterable[str]) -> list[Text]:
    """Each mirror of daemon.json that no engine can use, with the command that removes it."""
    problems = []
    for url, fault in find_faults(mirrors).items():
        name = strip_password(url)
        text = messages.MIRROR_UNUSABLE(mirror=name, file=str(paths.DAEMON_JSON), reason=fault)
        command = f"dockmgrctl set-mirror --remove {shlex.quote(name)}"
        problems.append(text.with_remedy(messages.REMOVE_OR_CORRECT_MIRROR(), command))
    return problems
