# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalogue of package sources: what comes with dockmgrd, and what the admin says over it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dockmgrd import paths
from dockmgrd.errors import InvalidArgs
from dockmgrd.host import yamltree
from dockmgrd.host.yamltree import Entry

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")
_TEXT_FIELDS = ("title", "prefix", "region", "notes", "intranet")

Fields = dict[str, str]


@dataclass(frozen=True)
class Key:
    """An armored OpenPGP key file on this host, and the fingerprint that it must have."""

    file: Path
    fingerprint: str


@dataclass(frozen=True)
class Source:
    """A place that has Docker's packages. `prefix` stands for https://download.docker.com."""

    name: str
    title: str
    prefix: str
    region: str
    notes: str
    key: Key
    intranet: bool = False
    """It can be reached from inside of its owner's cloud alone."""


@dataclass(frozen=True)
class Catalogue:
    """The sources by name, and what was wrong with an admin's files: those were left out whole."""

    sources: Mapping[str, Source]
    problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, package: Path = paths.CATALOGUE, admin: Path = paths.ADMIN_SOURCES) -> Catalogue:
        """Read `sources.yaml` of the package, and over it the admin's `*.yaml` by file name."""
        layers = _Layer().with_file(package / "sources.yaml")
        problems = []
        for path in sorted(admin.glob("*.yaml")):
            try:
                layers = layers.with_file(path)
            except yamltree.Malformed as error:
                problems.append(f"{error}; the file is left out.")
            except OSError as error:
                problems.append(f"{path} cannot be read: {error.strerror}; it is left out.")
        sources = {name: layers.source(name) for name in layers.sources}
        return cls(sources, tuple(problems))

    def source(self, name: str) -> Source:
        """:raises InvalidArgs: when there is none of that name, with those that there are."""
        if name not in self.sources:
            raise InvalidArgs(
                f"There is no package source '{name}'; the known ones are "
                f"{', '.join(sorted(self.sources))}."
            )
        return self.sources[name]


@dataclass(frozen=True)
class _Layer:
    """What the files read so far say, as texts: the fields of the key and of each source."""

    key: Fields = field(default_factory=dict)
    sources: Mapping[str, Fields] = field(default_factory=dict)
    source_keys: Mapping[str, Fields] = field(default_factory=dict)

    def with_file(self, path: Path) -> _Layer:
        """This, with the file's fields over it.

        :raises Malformed, OSError: when the file is not of the form that sources.yaml has.
        """
        top = _members(yamltree.read(path), ("key", "sources"))
        key = {**self.key, **(_key_fields(top["key"]) if "key" in top else {})}
        sources, source_keys = dict(self.sources), dict(self.source_keys)
        entries = top["sources"].members() if "sources" in top else {}
        for name, entry in entries.items():
            if not _NAME.fullmatch(name):
                raise entry.malformed(f"'{name}' cannot be the name of a source")
            members = _members(entry, (*_TEXT_FIELDS, "key"))
            texts = {each: members[each].text() for each in _TEXT_FIELDS if each in members}
            if "prefix" in texts:
                texts["prefix"] = _prefix(members["prefix"])
            if texts.get("intranet", "true") not in ("true", "false"):
                raise members["intranet"].malformed("intranet is true or false")
            sources[name] = {**sources.get(name, {}), **texts}
            if "key" in members:
                source_keys[name] = {**source_keys.get(name, {}), **_key_fields(members["key"])}
            if "prefix" not in sources[name]:
                raise entry.malformed(f"source '{name}' has no prefix")
        return _Layer(key, sources, source_keys)

    def source(self, name: str) -> Source:
        texts = self.sources[name]
        key = {**self.key, **self.source_keys.get(name, {})}
        return Source(
            name=name,
            title=texts.get("title", name),
            prefix=texts["prefix"],
            region=texts.get("region", ""),
            notes=texts.get("notes", ""),
            key=Key(Path(key["file"]), key["fingerprint"]),
            intranet=texts.get("intranet") == "true",
        )


def _members(entry: Entry, known: tuple[str, ...]) -> Mapping[str, Entry]:
    """:raises Malformed: when it is no mapping or has a member that is not known."""
    for name, member in entry.members().items():
        if name not in known:
            raise member.malformed(f"'{name}' is none of {', '.join(known)}")
    return entry.members()


def _key_fields(entry: Entry) -> Fields:
    members = _members(entry, ("file", "fingerprint"))
    fields = {name: member.text() for name, member in members.items()}
    if "file" in fields and not fields["file"].startswith("/"):
        raise members["file"].malformed("the key is a file of this host; give its absolute path")
    if "fingerprint" in fields:
        fields["fingerprint"] = fields["fingerprint"].replace(" ", "").upper()
        if not _FINGERPRINT.fullmatch(fields["fingerprint"]):
            raise members["fingerprint"].malformed("a fingerprint has 40 hexadecimal digits")
    return fields


def _prefix(entry: Entry) -> str:
    """The URL without a slash at its end."""
    url = entry.text()
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise entry.malformed(f"the prefix is no URL: {error}") from error
    usable = parts.scheme in ("https", "http") and parts.hostname and url.isprintable()
    if not usable or " " in url or parts.query or parts.fragment:
        raise entry.malformed("the prefix is a URL such as https://mirror.example/docker-ce")
    return url.rstrip("/")
