# SPDX-License-Identifier: LGPL-2.1-or-later
"""Overlay file systems: read-only layers with a writable directory on top."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bed.trees import remove_tree

if TYPE_CHECKING:
    from pathlib import Path

# `volatile`: fsync of a test's host does nothing, which makes dnf twice as fast.
_OPTIONS = "volatile,redirect_dir=on,index=off,metacopy=off"


@dataclass(frozen=True)
class Stack:
    """The directories of one overlay mount. `layers` has the topmost first."""

    layers: tuple[Path, ...]
    upper: Path
    work: Path
    root: Path

    def make_directories(self) -> None:
        for directory in (self.upper, self.work, self.root):
            directory.mkdir()

    def mount_command(self) -> str:
        """Return the shell command that mounts the stack at `root`."""
        lower = ":".join(str(layer) for layer in self.layers)
        options = f"lowerdir={lower},upperdir={self.upper},workdir={self.work},{_OPTIONS}"
        return shlex.join(["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)])

    def allow_remount(self) -> None:
        """Tell the kernel that the files of an earlier mount are to be trusted all the same.

        It refuses a volatile overlay that was mounted before, because after a crash of the whole
        machine its files may be incomplete. A host that was killed is no such crash.
        """
        remove_tree(self.work / "work" / "incompat")
