# SPDX-License-Identifier: LGPL-2.1-or-later
"""Free space, checked before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dockmgrd.errors import InsufficientSpace, WriteFailed
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text

_EXHAUSTED_BYTES = 4 << 20
"""With less than this free, a failed write is attributed to the lack of space."""


def require_space(folder: Path, needed: int, purpose: Text) -> None:
    """Check that the file system of the folder has this many bytes left.

    :param needed: bytes.
    :param purpose: what the space is for, such as `messages.SPACE_TO_DOWNLOAD`.
    :raises InsufficientSpace: naming how much is missing, and where.
    :raises WriteFailed: when nothing can be written there at all.
    """
    status = os.statvfs(_find_existing(str(folder), {})[0])
    if status.f_flag & os.ST_RDONLY:
        read_only = messages.READ_ONLY_FILE_SYSTEM(folder=str(folder))
        raise WriteFailed(read_only.with_remedy(messages.MOUNT_WRITABLE()))
    free = status.f_bavail * status.f_frsize
    if free < needed:
        lack = messages.INSUFFICIENT_SPACE(
            folder=str(folder),
            purpose=purpose,
            needed=_format_size(needed),
            free=_format_size(free),
        )
        raise InsufficientSpace(lack.with_remedy(messages.FREE_SPACE()))


def require_not_exhausted(folder: Path, purpose: Text) -> None:
    """Check that a failed write below the folder did not fail because the disk is full.

    :raises InsufficientSpace: when hardly anything is left.
    """
    require_space(folder, _EXHAUSTED_BYTES, purpose)


def sum_by_file_system(files: Iterable[tuple[str, int]]) -> Mapping[Path, int]:
    """Bytes that the files (path, size) will take on each file system, in whole blocks.

    A file system is named by the existing folder nearest to the first file on it.
    """
    folders: dict[str, os.stat_result] = {}
    needed: dict[int, tuple[Path, int]] = {}
    for name, size in files:
        folder, status = _find_existing(os.path.dirname(name), folders)
        block = status.st_blksize or 4096
        place, so_far = needed.get(status.st_dev, (Path(folder), 0))
        needed[status.st_dev] = (place, so_far + -(-size // block) * block)
    return dict(needed.values())


def _find_existing(folder: str, known: dict[str, os.stat_result]) -> tuple[str, os.stat_result]:
    """The nearest existing folder above, with its status; each folder is looked at once."""
    while folder not in known:
        try:
            known[folder] = os.stat(folder)
        except (FileNotFoundError, NotADirectoryError):
            folder = os.path.dirname(folder)
    return folder, known[folder]


def _format_size(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size / (1 << 10):.0f} KiB"
