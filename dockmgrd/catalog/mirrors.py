# SPDX-License-Identifier: LGPL-2.1-or-later
"""Candidates for registry mirrors: those that come with dockmgrd, and the admin's changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import InvalidArgs
from dockmgrd.host import yamltree
from dockmgrd.host.yamltree import Entry
from dockmgrd.messages import sources as messages
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import normalize_mirror

_FIELDS = ("title", "region", "checked", "source", "notes", "enabled")


@dataclass(frozen=True)
class Candidate:
    """A mirror: `checked` is the date of the last check, `source` says where that is known from."""

    url: str
    title: str
    region: str = ""
    checked: str = ""
    source: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Candidates:
    """The candidates, and the problems of the admin's files that were ignored."""

    known: tuple[Candidate, ...]
    problems: tuple[Text, ...] = ()

    @property
    def mirrors(self) -> tuple[str, ...]:
        """Their URLs, normalized."""
        return tuple(each.url for each in self.known)


def load(package: Path = paths.CATALOGUE, admin: Path = paths.ADMIN_MIRRORS) -> Candidates:
    """Read `mirrors.yaml` of the package, then the admin's `*.yaml` by name."""
    fields = _add_file({}, package / "mirrors.yaml")
    problems: list[Text] = []
    for path in sorted(admin.glob("*.yaml")):
        try:
            fields = _add_file(fields, path)
        except yamltree.Malformed as error:
            problems.append(error.problem)
        except OSError as error:
            problems.append(messages.FILE_UNREADABLE(file=str(path), reason=str(error.strerror)))
    known = [_make_candidate(url, texts) for url, texts in fields.items() if _is_enabled(texts)]
    return Candidates(tuple(known), tuple(problems))


def _add_file(fields: Mapping[str, Mapping[str, str]], path: Path) -> dict[str, dict[str, str]]:
    """The fields of each mirror so far, with those of the file on top.

    :raises Malformed, OSError: when the file is not of the form that mirrors.yaml has.
    """
    merged = {url: dict(texts) for url, texts in fields.items()}
    for name, top in yamltree.read(path).members().items():
        if name != "mirrors":
            raise top.make_error(messages.FIELD_UNKNOWN(field=name, known=["mirrors"]))
        for url, entry in top.members().items():
            merged.setdefault(_read_url(url, entry), {}).update(_read_texts(entry))
    return merged


def _read_url(url: str, entry: Entry) -> str:
    try:
        return normalize_mirror(url)
    except InvalidArgs as error:
        raise entry.make_error(error.text) from error


def _read_texts(entry: Entry) -> dict[str, str]:
    texts = {}
    for name, member in entry.members().items():
        if name not in _FIELDS:
            raise member.make_error(messages.FIELD_UNKNOWN(field=name, known=_FIELDS))
        texts[name] = member.text()
    if texts.get("enabled", "true") not in ("true", "false"):
        raise entry.make_error(messages.NOT_TRUE_OR_FALSE(field="enabled"))
    return texts


def _is_enabled(texts: Mapping[str, str]) -> bool:
    return texts.get("enabled", "true") == "true"


def _make_candidate(url: str, texts: Mapping[str, str]) -> Candidate:
    values = {name: text for name, text in texts.items() if name != "enabled"}
    return Candidate(url, values.pop("title", url), **values)
