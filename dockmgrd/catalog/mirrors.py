# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registry mirrors worth trying: those that come with dockmgrd, and what the admin says over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import InvalidArgs
from dockmgrd.host import yamltree
from dockmgrd.host.yamltree import Entry
from dockmgrd.mirror_urls import normalize_mirror

_FIELDS = ("title", "region", "checked", "source", "notes", "enabled")


@dataclass(frozen=True)
class Candidate:
    """A mirror and what is known of it: `checked` is a date, `source` says who knows."""

    url: str
    title: str
    region: str = ""
    checked: str = ""
    source: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Candidates:
    """The candidates, and what was wrong with an admin's files: those were left out whole."""

    known: tuple[Candidate, ...]
    problems: tuple[str, ...] = ()

    @property
    def mirrors(self) -> tuple[str, ...]:
        """Their URLs, normalised."""
        return tuple(each.url for each in self.known)


def load(package: Path = paths.CATALOGUE, admin: Path = paths.ADMIN_MIRRORS) -> Candidates:
    """Read `mirrors.yaml` of the package, and over it the admin's `*.yaml` by file name."""
    fields = _over({}, package / "mirrors.yaml")
    problems = []
    for path in sorted(admin.glob("*.yaml")):
        try:
            fields = _over(fields, path)
        except yamltree.Malformed as error:
            problems.append(f"{error}; the file is left out.")
        except OSError as error:
            problems.append(f"{path} cannot be read: {error.strerror}; it is left out.")
    known = [_candidate(url, texts) for url, texts in fields.items() if _enabled(texts)]
    return Candidates(tuple(known), tuple(problems))


def _over(fields: Mapping[str, Mapping[str, str]], path: Path) -> dict[str, dict[str, str]]:
    """The fields of each mirror so far, with those of the file over them.

    :raises Malformed, OSError: when the file is not of the form that mirrors.yaml has.
    """
    merged = {url: dict(texts) for url, texts in fields.items()}
    for name, top in yamltree.read(path).members().items():
        if name != "mirrors":
            raise top.malformed(f"'{name}' is not 'mirrors'")
        for url, entry in top.members().items():
            merged.setdefault(_url(url, entry), {}).update(_texts(entry))
    return merged


def _url(url: str, entry: Entry) -> str:
    try:
        return normalize_mirror(url)
    except InvalidArgs as error:
        raise entry.malformed(error.message.rstrip(".")) from error


def _texts(entry: Entry) -> dict[str, str]:
    texts = {}
    for name, member in entry.members().items():
        if name not in _FIELDS:
            raise member.malformed(f"'{name}' is none of {', '.join(_FIELDS)}")
        texts[name] = member.text()
    if texts.get("enabled", "true") not in ("true", "false"):
        raise entry.malformed("enabled is true or false")
    return texts


def _enabled(texts: Mapping[str, str]) -> bool:
    return texts.get("enabled", "true") == "true"


def _candidate(url: str, texts: Mapping[str, str]) -> Candidate:
    values = {name: text for name, text in texts.items() if name != "enabled"}
    return Candidate(url, values.pop("title", url), **values)
