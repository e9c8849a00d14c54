# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file as it is and as a job will leave it."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileChange:
    """A file as it is and as it will be; None stands for no file."""

    path: Path
    before: bytes | None
    after: bytes | None
    binding: bool = True
    """Whether the new content is part of what is agreed to, or only that the file changes."""
    public: bool = True
    """Whether everybody may see the new content."""

    def diff(self) -> str:
        """The change as a unified diff."""
        texts = [
            (data or b"").decode("utf-8", "replace").splitlines(keepends=True)
            for data in (self.before, self.after)
        ]
        names = [
            os.devnull if data is None else str(self.path) for data in (self.before, self.after)
        ]
        lines = difflib.unified_diff(texts[0], texts[1], names[0], names[1])
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )
