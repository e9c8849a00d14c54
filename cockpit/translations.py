# SPDX-License-Identifier: LGPL-2.1-or-later
"""Translations of the page: from catalogs in po/page and po to what cockpit.js loads."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

SOURCE = Path(__file__).parent
PO = SOURCE.parent / "po"
_MESSAGE = re.compile(r'\b_\(("(?:[^"\\]|\\.)*")\)')
_TRANSLATED = re.compile(r"<(\w+) translate>([^<]+)</\1>")
_LINE = re.compile(r'(?:(msgid|msgstr) )?(".*")')


def find_messages() -> set[str]:
    """Return every message that the page itself shows."""
    found = {
        ast.literal_eval(literal)
        for path in SOURCE.rglob("*.js")
        for literal in _MESSAGE.findall(path.read_text())
    }
    page = (SOURCE / "index.html").read_text()
    return found | {text for _, text in _TRANSLATED.findall(page)} | manifest_messages()


def manifest_messages() -> set[str]:
    """Return the messages of manifest.json: the label, and the words of a search."""
    items = json.loads((SOURCE / "manifest.json").read_text())["menu"].values()
    words = {word for item in items for keyword in item["keywords"] for word in keyword["matches"]}
    return words | {item["label"] for item in items}


def read_catalog(path: Path) -> dict[str, str]:
    """Return the translations of a PO file without plural forms; untranslated ones are left out."""
    catalog: dict[str, str] = {}
    entry = {"msgid": "", "msgstr": ""}
    field = "msgid"
    for line in [*path.read_text().splitlines(), 'msgid ""']:
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        if match[1] == "msgid":
            if entry["msgid"] and entry["msgstr"]:
                catalog[entry["msgid"]] = entry["msgstr"]
            entry = {"msgid": "", "msgstr": ""}
        field = match[1] or field
        entry[field] += ast.literal_eval(match[2])
    return catalog


def write(folder: Path, messages: Mapping[str, str]) -> None:
    """Write po.LANGUAGE.js and po.manifest.LANGUAGE.js for each catalog of the page.

    `messages` are the service's templates by their ids; their translations are in po/LANGUAGE.po.
    """
    for path in sorted((PO / "page").glob("*.po")):
        language = path.stem
        service = PO / path.name
        catalog = read_catalog(path)
        if messages and service.exists():
            translated = read_catalog(service)
            known = [each for each in messages.values() if each in translated]
            catalog.update({each: translated[each] for each in known})
        labels = manifest_messages()
        page = find_messages() | set(messages.values())
        _write_script(folder / f"po.{language}.js", language, catalog, page)
        _write_script(folder / f"po.manifest.{language}.js", language, catalog, labels)


def _write_script(
    path: Path, language: str, catalog: Mapping[str, str], chosen: Iterable[str]
) -> None:
    entries = {each: [None, catalog[each]] for each in sorted(chosen) if each in catalog}
    # The rule is that of languages without plural forms: the page has no message that counts.
    header = f'"plural-forms":n=>0,"language":{json.dumps(language)},"language-direction":"ltr"'
    text = json.dumps(entries, ensure_ascii=False, indent=0)[1:]
    path.write_text(f'cockpit.locale({{"":{{{header}}},{text});\n')
