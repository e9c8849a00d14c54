# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python3 -m completions FOLDER`: write the completions of all shells into that folder."""

from __future__ import annotations

import sys
from pathlib import Path

from completions import bash, commandline, fish, template, zsh

_HERE = Path(__file__).parent
_SHELLS = (
    ("dockmgrctl.bash.in", bash.NAME, bash.texts),
    ("_dockmgrctl.in", zsh.NAME, zsh.texts),
    ("dockmgrctl.fish.in", fish.NAME, fish.texts),
)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    line = commandline.read()
    for source, name, texts in _SHELLS:
        (folder / name).write_text(template.filled(_HERE / source, texts(line)), encoding="utf-8")


if __name__ == "__main__":
    main()
