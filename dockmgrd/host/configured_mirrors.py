# SPDX-License-Identifier: LGPL-2.1-or-later
"""The registry mirrors that daemon.json names."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import atomicfile, daemonjson
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
