# SPDX-License-Identifier: LGPL-2.1-or-later
"""The user's language: texts of dockmgrctl's own, and sentences that came from the service.

The service speaks English, whoever asks. What it says is translated here, for the screen alone:
what programs read stays as it came.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from dockmgrd.cli.i18n.locales import languages

if TYPE_CHECKING:
    from dockmgrd.cli.i18n.messages import Catalogue

_LOCALES = "/usr/share/locale"
_FILE = "LC_MESSAGES/dockmgrd.mo"


def _(text: str) -> str:
    """The text in the user's language; its {fields} are for the caller to fill."""
    catalogue = _catalogue()
    return text if catalogue is None else catalogue.text(text)


def told(text: str) -> str:
    """A sentence in the user's language that was put together elsewhere, with its values in it.

    What is not known comes back as it is.
    """
    catalogue = _catalogue()
    return text if catalogue is None else catalogue.told(text)


@functools.lru_cache
def _catalogue() -> Catalogue | None:
    folder = os.environ.get("TEXTDOMAINDIR", _LOCALES)
    for language in languages(os.environ):
        path = f"{folder}/{language}/{_FILE}"
        if os.path.exists(path):
            from dockmgrd.cli.i18n.messages import Catalogue

            return Catalogue.read(path)
    return None
