# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files with places to fill in, which are written like @PLACE@."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_PLACE = re.compile(r"@([A-Z_]+)@")


def filled(template: Path, texts: Mapping[str, str]) -> str:
    """The file's content with the texts in their places.

    :raises KeyError: for a place that has no text.
    """
    return _PLACE.sub(lambda place: texts[place[1]], template.read_text(encoding="utf-8"))
