# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python3 -m man.help FOLDER`: write what --help says into that folder, for `cli.prepared`."""

from __future__ import annotations

import sys
from pathlib import Path

from dockmgrd.cli.commands.all import COMMANDS
from dockmgrd.cli.prepared import OVERVIEW, WIDTH
from dockmgrd.cli.view import help as helptext


def texts() -> dict[str, str]:
    """The text of each file by its name, in English."""
    pages = {each.name: helptext.explained(each, WIDTH) for each in COMMANDS}
    pages[OVERVIEW] = helptext.overview(WIDTH)
    return {name: "\n".join(lines) + "\n" for name, lines in pages.items()}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
