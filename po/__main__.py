# SPDX-License-Identifier: LGPL-2.1-or-later
"""Brings the catalogues up to date with the source: new messages are open, old ones are gone."""

from __future__ import annotations

import sys
from pathlib import Path

from po import messages, pofile

FOLDER = Path(__file__).parent
_HEADER = (
    "Project-Id-Version: dockmgrd\nLanguage: {language}\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
)


def main() -> int:
    """Refresh them all; 1 when there is something to translate."""
    current = messages.collect()
    pofile.write(FOLDER / "dockmgrd.pot", _HEADER.format(language=""), current.values(), {})
    missing = 0
    for path in sorted(FOLDER.glob("*.po")):
        known = pofile.read(path)
        header = known.get("", "") or _HEADER.format(language=path.stem)
        pofile.write(path, header, current.values(), known)
        for msgid in current:
            if not known.get(msgid):
                print(f"{path.relative_to(FOLDER.parent)}: to translate: {msgid}")
                missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
