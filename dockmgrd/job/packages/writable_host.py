# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether packages can be changed on this host at all, found out before anything is downloaded."""

from __future__ import annotations

import os
from pathlib import Path

from dockmgrd.errors import DockmgrError, UnsupportedPlatform, WriteFailed
from dockmgrd.host.obstacles import find_mount
from dockmgrd.messages import files, packages

_OSTREE_MARK = Path("/run/ostree-booted")  # ostree(1) and bootc(8) systems have it.
_PROGRAMS = Path("/usr")
_DATABASES = (Path("/usr/lib/sysimage/rpm"), Path("/var/lib/rpm"))


def find_packages_refusal() -> DockmgrError | None:
    """Why rpm cannot change packages here; None when nothing is known to prevent it."""
    if os.path.exists(_OSTREE_MARK):
        text = packages.HOST_IS_IMAGE_BASED()
        return UnsupportedPlatform(text.with_remedy(packages.USE_RPM_OSTREE()))
    for path in (_PROGRAMS, *_DATABASES):
        if os.path.exists(path) and os.statvfs(path).f_flag & os.ST_RDONLY:
            return _make_read_only_error(path)
    return None


def _make_read_only_error(path: Path) -> WriteFailed:
    mount = find_mount(path.resolve())
    point = str(mount.point if mount is not None else path)
    text = packages.PACKAGES_READ_ONLY(path=str(path), mount=point)
    return WriteFailed(text.with_remedy(files.REMOUNT_WRITABLE(), f"mount -o remount,rw {point}"))
