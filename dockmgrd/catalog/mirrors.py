# SPDX-License-Identifier: LGPL-2.1-or-later
"""Candidates for registry mirrors: those that come with dockmgrd, and the admin's changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import InvalidArgs
from dockmgrd.host import yamltree
from dockmgrd.host.yamltree import Entry
from dockmgrd.messages import sources as messages
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import normalize_mirror, normalize_registry
from dockmgrd.names import DOCKER_HUB

_FIELDS = ("title", "registry", "region", "checked", "source", "notes", "enabled")
_IMAGE_FIELDS = ("image", "checked", "source")
_IMAGE = re.compile(r"([a-z0-9][a-z0-9._/-]*):([A-Za-z0-9_][A-Za-z0-9._-]{0,127})")
_Fields = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Candidate:
    """A mirror: `checked` is the date of the last check, `source` says where that is known from."""

    url: str
    title: str
    registry: str = DOCKER_HUB
    """The registry that it is a mirror of."""
    region: str = ""
    checked: str = ""
    source: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Image:
    """A small public image, to try mirrors with."""

    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


HELLO_WORLD = Image("library/hello-world", "latest")


@dataclass(frozen=True)
class Candidates:
    """The candidates, and the problems of the admin's files that were ignored."""

    known: tuple[Candidate, ...]
    problems: tuple[Text, ...] = ()
    images: Mapping[str, Image] = field(default_factory=dict)
    """By the name of their registry."""

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The URLs of those for Docker Hub, normalized."""
        return self.list_mirrors(DOCKER_HUB)

    def list_mirrors(self, registry: str) -> tuple[str, ...]:
        """The URLs of those for the registry, normalized."""
        return tuple(each.url for each in self.known if each.registry == registry)


def load(package: Path = paths.CATALOGUE, admin: Path = paths.ADMIN_MIRRORS) -> Candidates:
    """Read `mirrors.yaml` of the package, then the admin's `*.yaml` by name."""
    fields, images = _add_file({}, {}, package / "mirrors.yaml")
    problems: list[Text] = []
    for path in yamltree.list_files(admin):
        try:
            fields, images = _add_file(fields, images, path)
        except yamltree.Malformed as error:
            problems.append(error.problem)
        except OSError as error:
            problems.append(messages.FILE_UNREADABLE(file=str(path), reason=str(error.strerror)))
    known = [_make_candidate(url, texts) for url, texts in fields.items() if _is_enabled(texts)]
    return Candidates(tuple(known), tuple(problems), images)


def _add_file(
    fields: _Fields, images: Mapping[str, Image], path: Path
) -> tuple[dict[str, dict[str, str]], dict[str, Image]]:
    """The fields of each mirror and the images so far, with those of the file on top.

    :raises Malformed, OSError: when the file is not of the form that mirrors.yaml has.
    """
    merged, known = {url: dict(texts) for url, texts in fields.items()}, dict(images)
    for name, top in yamltree.read(path).members().items():
        if name == "images":
            known.update(_read_image(registry, entry) for registry, entry in top.members().items())
        elif name != "mirrors":
            raise top.make_error(messages.FIELD_UNKNOWN(field=name, known=["images", "mirrors"]))
        else:
            for url, entry in top.members().items():
                merged.setdefault(_read_url(url, entry), {}).update(_read_texts(entry))
    return merged, known


def _read_image(registry: str, entry: Entry) -> tuple[str, Image]:
    members = entry.members()
    for name, member in members.items():
        if name not in _IMAGE_FIELDS:
            raise member.make_error(messages.FIELD_UNKNOWN(field=name, known=_IMAGE_FIELDS))
    if "checked" in members:
        yamltree.check_date(members["checked"], "checked")
    match = _IMAGE.fullmatch(members["image"].text()) if "image" in members else None
    if match is None or {"", ".", ".."} & set(match[1].split("/")):
        raise entry.make_error(messages.IMAGE_NOT_VALID(example=str(HELLO_WORLD)))
    return _read_registry(registry, entry), Image(match[1], match[2])


def _read_registry(name: str, entry: Entry) -> str:
    try:
        return normalize_registry(name)
    except InvalidArgs as error:
        raise entry.make_error(error.text) from error


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
        text = member.text()
        if name == "checked":
            yamltree.check_date(member, name)
        texts[name] = _read_registry(text, member) if name == "registry" else text
    if texts.get("enabled", "true") not in ("true", "false"):
        raise entry.make_error(messages.NOT_TRUE_OR_FALSE(field="enabled"))
    return texts


def _is_enabled(texts: Mapping[str, str]) -> bool:
    return texts.get("enabled", "true") == "true"


def _make_candidate(url: str, texts: Mapping[str, str]) -> Candidate:
    values = {name: text for name, text in texts.items() if name != "enabled"}
    return Candidate(url, values.pop("title", url), **values)
