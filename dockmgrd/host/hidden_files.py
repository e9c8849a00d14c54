# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that exist and that a process in a sandbox cannot see.

Folders of users, /root and /tmp lead nowhere in the sandbox of the daemon. A link into one of them
looks like a file that is not there.
"""

from __future__ import annotations

import os
from pathlib import Path

from dockmgrd.errors import ConfigInvalid
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Text


def is_hidden(path: Path) -> bool:
    """Whether a link, at the file or on the way to it, leads to where there is nothing to see.

    :param path: of a file that was not found.
    """
    target = os.path.realpath(path)
    is_behind_link = target != os.path.abspath(path)
    return os.path.islink(path) or (is_behind_link and not os.path.isdir(os.path.dirname(target)))


def describe_unreadable(path: Path, error: ConfigInvalid) -> Text:
    """Why the file cannot be read, or is not valid."""
    is_forbidden = isinstance(error.__cause__, PermissionError)
    is_behind_link = os.path.realpath(path) != os.path.abspath(path)
    return describe_hidden(path) if is_forbidden and is_behind_link else error.text


def describe_hidden(path: Path) -> Text:
    """That a link leads out of the sandbox."""
    text = messages.CONFIG_LINK_UNREADABLE(file=str(path), target=os.path.realpath(path))
    return text.with_remedy(messages.LOOK_AT_FILE(), f"ls -lL {path}")
