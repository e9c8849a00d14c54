# SPDX-License-Identifier: LGPL-2.1-or-later
"""The user's language: texts of dockmgrctl, and messages of the service by their ids.

The service speaks English. Its messages carry an id and arguments, so that they are translated
here, for people alone: --json prints them as they came. Only templates are looked up in the
catalog. A value, such as a name or a path, is copied verbatim.
"""

from __future__ import annotations

import functools
import gettext
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from dockmgrd.cli.i18n.locales import list_languages
from dockmgrd.cli.loading import load
from dockmgrd.messages.text import Template, Text

_LOCALES = "/usr/share/locale"
_FILE = "LC_MESSAGES/dockmgrd.mo"
_TEMPLATES = "dockmgrd.messages.catalog:load"
_SENTENCE_ENDS = ("。", "！", "？")

Message = Union[str, Text, Mapping[str, Any]]
"""A message as the service sends it. A plain string comes from another program or from version
0.1.0, and is never translated."""


@dataclass(frozen=True)
class Wording:
    """A message in the user's language.

    `remedy` says what to do, and `command` does it when pasted into a shell; both may be empty.
    """

    sentence: str
    remedy: str = ""
    command: str = ""

    def __str__(self) -> str:
        if not (self.sentence and self.remedy):
            return self.sentence or self.remedy
        space = "" if self.sentence.endswith(_SENTENCE_ENDS) else " "
        return f"{self.sentence}{space}{self.remedy}"


def _(text: str) -> str:
    """Return the text in the user's language; its {fields} are for the caller to fill."""
    catalog = _load_catalog()
    return text if catalog is None or not text else catalog.gettext(text)


def N_(text: str) -> str:
    """Mark a text for xgettext that `_` translates later."""
    return text


def translate_catalog_text(text: str) -> str:
    """Return a title or a note of the shipped catalogs in the user's language.

    They are looked up in a context of their own, so that no other text is taken for one.
    """
    catalog = _load_catalog()
    return text if catalog is None or not text else catalog.pgettext("catalog", text)


def translate_message(message: Message) -> str:
    """Return the message with its remedy in the user's language."""
    return str(word_message(message))


def word_message(message: Message) -> Wording:
    """Return the sentence, the remedy and the command of the message in the user's language.

    A message that this version does not know stays English.
    """
    if isinstance(message, str):
        return Wording(message)
    plain = message.to_plain() if isinstance(message, Text) else message
    english = str(plain.get("text", ""))
    remedy = plain.get("remedy")
    if isinstance(remedy, str):  # as version 0.1.0 sends it: a command
        return Wording(_translate_sentence(plain, english), command=remedy)
    if not remedy:
        return Wording(_translate_sentence(plain, english))
    tail = str(remedy.get("text", ""))
    if tail and english.endswith(tail):
        english = english[: -len(tail)].rstrip()
    return Wording(
        _translate_sentence(plain, english),
        _translate_sentence(remedy, tail),
        str(remedy.get("command", "")),
    )


def _translate_sentence(plain: Mapping[str, Any], english: str) -> str:
    """:param english: the sentence without its remedy."""
    catalog = _load_catalog()
    template = None if catalog is None else _load_templates().get(str(plain.get("id", "")))
    if catalog is None or template is None:
        return english
    args = plain.get("args", {})
    try:
        values = {name: _translate_argument(each) for name, each in args.items()}
        return catalog.gettext(template.english).format_map(values)
    except (KeyError, IndexError, AttributeError):  # another version has other arguments
        return english


def _translate_argument(argument: Any) -> str:
    if isinstance(argument, (Mapping, Text)):
        return translate_message(argument)
    if isinstance(argument, (list, tuple)):
        return _(", ").join(map(_translate_argument, argument))
    return str(argument)


@functools.lru_cache
def _load_templates() -> Mapping[str, Template]:
    """Return all templates by their ids; they are needed for translations alone."""
    templates: Mapping[str, Template] = load(_TEMPLATES)()
    return templates


@functools.lru_cache
def _load_catalog() -> gettext.GNUTranslations | None:
    """Return the catalog of the user's language; None for English, and when it is damaged."""
    folder = os.environ.get("TEXTDOMAINDIR", _LOCALES)
    for language in list_languages(os.environ):
        try:
            with open(os.path.join(folder, language, _FILE), "rb") as file:
                return gettext.GNUTranslations(file)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, struct.error):
            return None
    return None
