# SPDX-License-Identifier: LGPL-2.1-or-later
"""The user's language: texts of dockmgrctl's own, and sentences that came from the service.

The service speaks English, whoever asks. What it says is translated here, for the screen alone:
what programs read stays as it came.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockmgrd.cli.messages import Catalogue

_LOCALES = "/usr/share/locale"
_FILE = "LC_MESSAGES/dockmgrd.mo"
_ENGLISH = frozenset({"C", "POSIX", "en"})


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


def languages(environment: Mapping[str, str]) -> Iterator[str]:
    """The languages that the user reads, the best first, none after English.

    Only what the variables say counts, and not whether the C library has that locale: servers
    often have none but C, and are used over ssh from elsewhere.
    """
    locales = map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, locales), "C")
    if locale in _ENGLISH:
        return
    for name in (environment.get("LANGUAGE") or locale).split(":"):
        bare = name.partition(".")[0].partition("@")[0]
        language = bare.partition("_")[0]
        if language in _ENGLISH:
            return
        if bare.replace("_", "").isalnum():  # it becomes part of a path
            yield bare
            yield language


@functools.lru_cache
def _catalogue() -> Catalogue | None:
    folder = os.environ.get("TEXTDOMAINDIR", _LOCALES)
    for language in languages(os.environ):
        path = f"{folder}/{language}/{_FILE}"
        if os.path.exists(path):
            from dockmgrd.cli.messages import Catalogue  # for those who need it

            return Catalogue.read(path)
    return None
