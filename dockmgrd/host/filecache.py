# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values that are parsed from files, and parsed again only when a file has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

Stamp = tuple[object, ...]


class FileCache(Generic[T]):
    """The value that `parse` makes of some files.

    :param list_files: names the files; a missing one is part of the stamp, too.
    :param parse: makes the value. It must not raise for what a file contains.
    """

    def __init__(self, list_files: Callable[[], Iterable[Path]], parse: Callable[[], T]) -> None:
        self._list_files = list_files
        self._parse = parse
        self._stamp: Stamp | None = None
        self._value: T | None = None

    def get(self) -> T:
        """The value for the files as they are now."""
        stamp = read_stamp(self._list_files())
        if self._value is None or stamp != self._stamp:
            self._value = self._parse()
            self._stamp = stamp
        return self._value


def read_stamp(files: Iterable[Path]) -> Stamp:
    """What changes whenever one of the files is written, replaced, added or removed."""
    return tuple(_stamp_file(path) for path in files)


def _stamp_file(path: Path) -> Stamp:
    try:
        status = os.stat(path)
    except OSError as error:  # also a link loop, or a folder that is hidden from this process
        return (str(path), error.errno)
    return (str(path), status.st_mtime_ns, status.st_size, status.st_ino)
