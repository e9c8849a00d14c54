# SPDX-License-Identifier: LGPL-2.1-or-later
"""The user's language: texts of dockmgrctl's own, and sentences that came from the service.

The service speaks English, whoever asks. What it says is translated here, for the screen alone:
what programs read stays as it came.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockmgrd.cli.i18n.locales import languages

if TYPE_CHECKING:
    from dockmgrd.cli.i18n.messages import Catalogue
    from dockmgrd.messages.text import Template

_LOCALES = "/usr/share/locale"
_FILE = "LC_MESSAGES/dockmgrd.mo"


def _(text: str) -> str:
    """The text in the user's language; its {fields} are for the caller to fill."""
    catalogue = _catalogue()
    return text if catalogue is None else catalogue.text(text)


def told(text: str | Mapping[str, Any]) -> str:
    """A sentence in the user's language that was put together elsewhere, with its values in it.

    What is not known comes back as it is.
    """
    if not isinstance(text, str):
        return translate_message(text)
    catalogue = _catalogue()
    return text if catalogue is None else catalogue.told(text)


def translate_message(message: Mapping[str, Any]) -> str:
    """A message of the service (id, text, args, remedy) in the user's language.

    Its values are copied verbatim. A message that this version does not know stays English.
    """
    catalogue = _catalogue()
    if catalogue is None:
        return str(message["text"])
    template = _templates().get(message.get("id", ""))
    if template is None:
        return str(message["text"])
    args = {name: _translate_argument(each) for name, each in message["args"].items()}
    try:
        sentence = catalogue.text(template.english).format_map(args)
    except (KeyError, IndexError):  # the service's version of the message has other arguments
        return str(message["text"])
    remedy = message.get("remedy")
    return f"{sentence}{translate_message(remedy)}" if remedy else sentence


def _translate_argument(argument: Any) -> str:
    if isinstance(argument, Mapping):
        return translate_message(argument)
    if isinstance(argument, list):
        return _(", ").join(map(_translate_argument, argument))
    return str(argument)


@functools.lru_cache
def _templates() -> Mapping[str, Template]:
    from dockmgrd.messages.catalog import load

    return load()


@functools.lru_cache
def _catalogue() -> Catalogue | None:
    folder = os.environ.get("TEXTDOMAINDIR", _LOCALES)
    for language in languages(os.environ):
        path = f"{folder}/{language}/{_FILE}"
        if os.path.exists(path):
            from dockmgrd.cli.i18n.messages import Catalogue

            return Catalogue.read(path)
    return None
