# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hint for a source that cannot be reached: a proxy of the shell is none of dockmgrd's."""

from __future__ import annotations

import os
import re
from pathlib import Path

from dockmgrd.errors import DockmgrError, SourceUnreachable
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import NOTHING, Text

_DNF_CONF = Path("/etc/dnf/dnf.conf")
_PROXY_SETTING = re.compile(r"^proxy\s*=\s*\S", re.MULTILINE)
_VARIABLES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


def make_proxy_hint(error: DockmgrError, configuration: Path = _DNF_CONF) -> Text:
    """The hint; NOTHING for another error, without a proxy, and where dnf has one of its own."""
    variable = next((name for name in _VARIABLES if os.environ.get(name)), "")
    if not isinstance(error, SourceUnreachable) or not variable or _has_proxy(configuration):
        return NOTHING
    text = messages.PROXY_OF_SHELL(variable=variable)
    return text.with_remedy(messages.SET_PROXY_OF_DNF(file=str(configuration)))


def _has_proxy(configuration: Path) -> bool:
    try:
        text = configuration.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(_PROXY_SETTING.search(text))
