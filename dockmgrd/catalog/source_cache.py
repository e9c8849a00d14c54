# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalogue of sources as the files have it now: loaded when it is first needed, and anew."""

from __future__ import annotations

import os

from dockmgrd import paths
from dockmgrd.catalog.sources import Catalogue


class Sources:
    """Loads the catalogue again when an admin has changed, added or removed a file."""

    def __init__(self) -> None:
        self._stamp: tuple[object, ...] | None = None
        self._catalogue = Catalogue({})

    def current(self) -> Catalogue:
        stamp = _stamp()
        if stamp != self._stamp:
            self._catalogue = Catalogue.load()
            self._stamp = stamp
        return self._catalogue


def _stamp() -> tuple[object, ...]:
    stamp: list[object] = []
    for path in sorted(paths.ADMIN_SOURCES.glob("*.yaml")):
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        stamp += [path.name, status.st_mtime_ns, status.st_size, status.st_ino]
    return tuple(stamp)
