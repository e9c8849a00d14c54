# SPDX-License-Identifier: LGPL-2.1-or-later
"""Free space, checked before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dockmgrd.errors import InsufficientSpace, WriteFailed

_EXHAUSTED = 4 << 20
"""With less than this free, in bytes, a write that failed is taken to have failed for it."""


def require(folder: Path, needed: int, purpose: str) -> None:
    """See that the file system of the folder has this many bytes left.

    :param purpose: what the space is for, as in "to download packages".
    :raises InsufficientSpace: naming how much is missing, and where.
    :raises WriteFailed: when nothing can be written there at all.
    """
    status = os.statvfs(_nearest(str(folder), {})[0])
    if status.f_flag & os.ST_RDONLY:
        raise WriteFailed(
            f"The file system of {folder} is read-only; mount it writable and try again."
        )
    free = status.f_bavail * status.f_frsize
    if free < needed:
        raise InsufficientSpace(
            f"{_shown(needed)} are needed {purpose} on the file system of {folder}, and "
            f"{_shown(free)} are free; make room there and try again."
        )


def require_not_exhausted(folder: Path, purpose: str) -> None:
    """See that a write below the folder that failed did not fail for want of space.

    :raises InsufficientSpace: when hardly anything is left.
    """
    require(folder, _EXHAUSTED, purpose)


def by_file_system(files: Iterable[tuple[str, int]]) -> Mapping[Path, int]:
    """Bytes that the files (path, size) will take on each file system, in whole blocks.

    A file system is named by the existing folder nearest to the first file on it.
    """
    folders: dict[str, os.stat_result] = {}
    needed: dict[int, tuple[Path, int]] = {}
    for name, size in files:
        folder, status = _nearest(os.path.dirname(name), folders)
        block = status.st_blksize or 4096
        place, so_far = needed.get(status.st_dev, (Path(folder), 0))
        needed[status.st_dev] = (place, so_far + -(-size // block) * block)
    return dict(needed.values())


def _nearest(folder: str, known: dict[str, os.stat_result]) -> tuple[str, os.stat_result]:
    """The nearest existing folder above, with its status; each folder is looked at once."""
    while folder not in known:
        try:
            known[folder] = os.stat(folder)
        except (FileNotFoundError, NotADirectoryError):
            folder = os.path.dirname(folder)
    return folder, known[folder]


def _shown(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size / (1 << 10):.0f} KiB"
