# SPDX-License-Identifier: LGPL-2.1-or-later
"""Things that take long to make and are made once: root trees, repositories, layers.

An item is a directory whose name ends in a digest of everything that determined it, so a changed
recipe makes a new item. It is built under a lock and appears by rename, and it vanishes by rename:
whoever sees it sees it whole, also when a builder or a remover is killed. The next one ends what
is left of that builder's processes and mounts before it removes the unfinished directory.
A process that has asked for an item keeps it from being pruned until it exits.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import logging
import os
import re
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bed.cgroup import ControlGroup
from bed.limits import HANG_TIMEOUT
from bed.shell import run_commands_in
from bed.trees import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_ROOT = "/var/cache/dockmgrd-bed"
_log = logging.getLogger(__name__)
_UNFINISHED, _DOOMED = ".new-", ".old-"
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
    around_build: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered while an item is built or another process builds it, however long that takes."""
    _held: dict[str, IO[str]] = field(default_factory=dict)

    def provide(self, recipe: Recipe, build: Callable[[Path], None]) -> Path:
        """Return the item's directory; call `build` with an empty one first where it is missing."""
        path = self.root / recipe.directory_name
        if path.name in self._held:
            return path
        with ExitStack() as stack:
            in_use = stack.enter_context(self._open_lock(path.name))
            fcntl.flock(in_use, fcntl.LOCK_SH)  # from here on nobody prunes it
            if not path.is_dir():
                self._build_once(path, build)
            os.utime(path)
            self._held[path.name] = in_use
            stack.pop_all()  # the lock is held on
        self._prune(recipe.name)
        return path

    def scratch(self, name: str) -> Path:
        """Return a directory on the cache's file system for what is not an item."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def clean(self) -> list[str]:
        """Remove every item that no process uses; return the names of those in use."""
        return [path.name for path in self._items("[a-z].*") if not self._remove_unused(path)]

    def release(self) -> None:
        """Let go of all items: from here on they may be pruned."""
        while self._held:
            self._held.popitem()[1].close()

    def _build_once(self, path: Path, build: Callable[[Path], None]) -> None:
        """Build the item, or wait until another process has built it."""
        with self.around_build(), self._open_lock(f"{path.name}.build") as building:
            _take_turn(building, path.name)
            if not path.is_dir():
                self._build(path, build)

    def _build(self, path: Path, build: Callable[[Path], None]) -> None:
        unfinished = self._beside(path, _UNFINISHED)
        group = self._group(path)
        self._clean_up(path)
        unfinished.mkdir()
        group.create()
        started = time.monotonic()
        _log.info("%s: building", path.name)
        try:
            with run_commands_in(group):
                build(unfinished)
        except BaseException:
            _end_processes(group)
            remove_tree(unfinished)
            raise
        _end_processes(group)
        unfinished.rename(path)
        _log.info("%s: built in %.1f s", path.name, time.monotonic() - started)

    def _clean_up(self, path: Path) -> None:
        """Remove what a builder that was killed has left, if any. We hold its lock."""
        unfinished = self._beside(path, _UNFINISHED)
        _end_processes(self._group(path))
        if unfinished.exists():
            remove_tree(unfinished)
            _log.info("%s: removed what an interrupted build left behind", path.name)

    def _prune(self, name: str) -> None:
        newest_first = sorted(self._items(re.escape(name)), key=_used_at, reverse=True)
        finished = [path for path in newest_first if path.is_dir()]
        for path in newest_first:
            if path not in finished[:_KEPT_PER_NAME]:
                self._remove_unused(path)

    def _items(self, name_pattern: str) -> list[Path]:
        """Return where the items of such names are, be they finished, unfinished or doomed."""
        if not self.root.is_dir():
            return []
        pattern = re.compile(rf"(?:\.new-|\.old-)?({name_pattern}-[0-9a-f]{{12}})")
        matches = map(pattern.fullmatch, os.listdir(self.root))
        return [self.root / name for name in sorted({match[1] for match in matches if match})]

    def _remove_unused(self, path: Path) -> bool:
        with self._open_lock(path.name) as in_use:
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._clean_up(path)
            doomed = self._beside(path, _DOOMED)
            remove_tree(doomed)  # left by a remover that was killed
            if path.exists():
                path.rename(doomed)
                remove_tree(doomed)
            return True

    def _beside(self, path: Path, prefix: str) -> Path:
        return path.with_name(prefix + path.name)

    def _group(self, path: Path) -> ControlGroup:
        """Return the control group of all that builds the item."""
        root = self.root.stat()
        return ControlGroup.named(f"build-{root.st_dev:x}-{root.st_ino:x}-{path.name}")

    def _open_lock(self, item_name: str) -> IO[str]:
        return (self.scratch("locks") / item_name).open("w")


def _take_turn(building: IO[str], name: str) -> None:
    """Lock the file, and say so when that takes until another process has built the item."""
    try:
        fcntl.flock(building, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.info("%s: waiting for another process that builds it", name)
        fcntl.flock(building, fcntl.LOCK_EX)


def _end_processes(group: ControlGroup) -> None:
    group.kill()
    group.remove(HANG_TIMEOUT)


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has pruned it
        return 0.0


@functools.cache
def shared() -> Cache:
    """Return the cache of this machine: $DOCKMGRD_BED_CACHE or /var/cache/dockmgrd-bed."""
    return Cache(Path(os.environ.get("DOCKMGRD_BED_CACHE", DEFAULT_ROOT)).resolve())
