# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drop-ins of docker.service: settings of the unit that do not come with a package."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from dockmgrd import paths
from dockmgrd.host import atomicfile
from dockmgrd.job.file_change import FileChange

_MARK = b"# Written by dockmgrd"


def find_drop_ins(*, every: bool, folder: Path = paths.DROP_INS) -> tuple[FileChange, ...]:
    """The drop-ins that go with the engine.

    Those are our own, or with `every` the administrator's, too. Whatever is not a regular file,
    such as a link, stays.
    """
    if not os.path.isdir(folder) or os.path.islink(folder):
        return ()
    found = [
        FileChange(path, path.read_bytes(), None)
        for path in sorted(folder.glob("*.conf"))
        if os.path.isfile(path) and not os.path.islink(path)
    ]
    return tuple(each for each in found if every or (each.before or b"").startswith(_MARK))


def delete_drop_ins(files: Iterable[FileChange]) -> None:
    """Delete them, and their folder when nothing else is in it.

    :raises WriteFailed: when one cannot be deleted.
    """
    for each in files:
        atomicfile.remove(each.path)
        with contextlib.suppress(OSError):  # not empty, or a mount point
            os.rmdir(each.path.parent)
