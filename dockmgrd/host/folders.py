# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders of dockmgrd's own, which nobody but root can change."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import InsufficientSpace, WriteFailed
from dockmgrd.messages import jobs as messages


def make_folder(folder: Path) -> None:
    """Make the folder, and those above it, unless it is there.

    :raises InsufficientSpace, WriteFailed: when it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        kind = InsufficientSpace if error.errno in (errno.ENOSPC, errno.EDQUOT) else WriteFailed
        template = messages.FOLDER_IS_FULL if kind is InsufficientSpace else messages.FOLDER_FAILED
        text = template(path=str(folder.parent), reason=error.strerror or str(error))
        raise kind(text.with_remedy(messages.MAKE_ROOM(), f"df -h {paths.STATE}")) from error


def delete_folder(path: Path) -> None:
    """Delete the folder and all that is in it; links are deleted and not followed.

    `shutil.rmtree` does the same, and would load three libraries for compression into each job.

    :raises OSError: when something stays.
    """
    for _, folders, files, descriptor in os.fwalk(path, topdown=False):
        for name in files:
            os.unlink(name, dir_fd=descriptor)
        for name in folders:
            try:
                os.rmdir(name, dir_fd=descriptor)
            except NotADirectoryError:
                os.unlink(name, dir_fd=descriptor)
    path.rmdir()
