# SPDX-License-Identifier: LGPL-2.1-or-later
"""Things that take long to make and are made once: root trees, repositories, layers.

An item is a directory whose name ends in a digest of everything that determined it, so a changed
recipe makes a new item. It is built under a lock and appears by rename: whoever sees it sees it
whole. A process that has asked for an item keeps it from being pruned until it exits.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import logging
import os
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_ROOT = "/var/cache/dockmgrd-bed"
_log = logging.getLogger(__name__)
_KEPT_PER_NAME = 2  # the current one and one for another checkout that shares the cache


def text_of(module_file: str) -> str:
    """Return the text of a module, for the recipe of what the module makes.

    To be called while the module is loaded, with its `__file__`: later the file may be another
    than the one whose code runs, and what old code makes would have the name of the new.
    """
    return Path(module_file).read_text()


@dataclass(frozen=True)
class Recipe:
    """What an item is called and everything that determines what is in it."""

    name: str
    inputs: tuple[str, ...]

    @property
    def directory_name(self) -> str:
        digest = hashlib.sha256("\0".join(self.inputs).encode()).hexdigest()[:12]
        return f"{self.name}-{digest}"


@dataclass
class Cache:
    """A directory of items, shared by every process that knows its path."""

    root: Path
    _held: dict[str, IO[str]] = field(default_factory=dict)

    def provide(self, recipe: Recipe, build: Callable[[Path], None]) -> Path:
        """Return the item's directory; call `build` with an empty one first where it is missing."""
        path = self.root / recipe.directory_name
        if path.name in self._held:
            return path
        in_use = self._open_lock(path.name)
        fcntl.flock(in_use, fcntl.LOCK_SH)  # from here on nobody prunes it
        if not path.is_dir():
            with self._open_lock(f"{path.name}.build") as building:
                fcntl.flock(building, fcntl.LOCK_EX)
                if not path.is_dir():
                    self._build(path, build)
        os.utime(path)
        self._held[path.name] = in_use
        self._prune(recipe.name)
        return path

    def scratch(self, name: str) -> Path:
        """Return a directory on the cache's file system for what is not an item."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def clean(self) -> list[str]:
        """Remove every item that no process uses; return the names of those in use."""
        busy: list[str] = []
        for path in self._items(r"(\.new-)?[a-z].*"):
            if not self._remove_unused(path):
                busy.append(path.name)
        return busy

    def _build(self, path: Path, build: Callable[[Path], None]) -> None:
        unfinished = self.root / f".new-{path.name}"
        if unfinished.exists():  # left by a builder that was killed: we hold its lock
            shutil.rmtree(unfinished)
        unfinished.mkdir()
        started = time.monotonic()
        try:
            build(unfinished)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        unfinished.rename(path)
        _log.info("%s built in %.1f s", path.name, time.monotonic() - started)

    def _prune(self, name: str) -> None:
        newest_first = sorted(self._items(re.escape(name)), key=_used_at, reverse=True)
        for path in newest_first[_KEPT_PER_NAME:]:
            self._remove_unused(path)

    def _items(self, name_pattern: str) -> list[Path]:
        if not self.root.is_dir():
            return []
        pattern = re.compile(rf"{name_pattern}-[0-9a-f]{{12}}")
        return [path for path in self.root.iterdir() if pattern.fullmatch(path.name)]

    def _remove_unused(self, path: Path) -> bool:
        with self._open_lock(path.name.removeprefix(".new-")) as in_use:
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if path.exists():
                shutil.rmtree(path)
            return True

    def _open_lock(self, item_name: str) -> IO[str]:
        return (self.scratch("locks") / item_name).open("w")


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has pruned it
        return 0.0


@functools.cache
def shared() -> Cache:
    """Return the cache of this machine: $DOCKMGRD_BED_CACHE or /var/cache/dockmgrd-bed."""
    return Cache(Path(os.environ.get("DOCKMGRD_BED_CACHE", DEFAULT_ROOT)).resolve())
