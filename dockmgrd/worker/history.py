# SPDX-License-Identifier: LGPL-2.1-or-later
"""dnf's history of transactions, checked before anything is stopped or downloaded for one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from dockmgrd.errors import TransactionFailed
from dockmgrd.messages import dnf as messages

_QUERY = "SELECT count(*) FROM trans"  # The table has this name in dnf 4 and dnf 5.
_LOCKED = "locked"


def require_usable(file: Path) -> None:
    """Check that dnf can add to the history. A missing file is none: dnf makes it.

    :raises TransactionFailed: naming the file, in the words of SQLite.
    """
    if not os.path.exists(file):
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            database.execute(_QUERY).fetchone()
    except sqlite3.Error as error:
        if _LOCKED in str(error):
            return  # Another process writes, and dnf waits for it.
        text = messages.HISTORY_DAMAGED(file=str(file), reason=str(error))
        command = f"mv {file} {file}.damaged"
        raise TransactionFailed(text.with_remedy(messages.MOVE_HISTORY_AWAY(), command)) from error
