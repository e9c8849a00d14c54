# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalog of package sources: those that come with dockmgrd, and the admin's changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dockmgrd import paths
from dockmgrd.errors import InvalidArgs, harmless
from dockmgrd.host import yamltree
from dockmgrd.host.filecache import FileCache
from dockmgrd.host.yamltree import Entry
from dockmgrd.messages import sources as messages
from dockmgrd.messages.text import Text
from dockmgrd.options.packages import FASTEST

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")
_TEXT_FIELDS = ("title", "prefix", "region", "notes", "intranet", "checked", "source")

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
    """It can be reached only from inside its owner's cloud."""
    checked: str = ""
    """Date of the last check; `source` says what checked it, or where it is known from."""
    source: str = ""


@dataclass(frozen=True)
class Catalog:
    """The sources by name, and the problems of the admin's files that were ignored."""

    sources: Mapping[str, Source]
    problems: tuple[Text, ...] = ()

    @classmethod
    def load(cls, package: Path = paths.CATALOGUE, admin: Path = paths.ADMIN_SOURCES) -> Catalog:
        """Read `sources.yaml` of the package, then the admin's `*.yaml` by name."""
        layers = _Layer().add_file(package / "sources.yaml")
        problems: list[Text] = []
        for path in yamltree.list_files(admin):
            try:
                layers = layers.add_file(path)
            except yamltree.Malformed as error:
                problems.append(error.problem)
            except OSError as error:
                problems.append(
                    messages.FILE_UNREADABLE(file=str(path), reason=str(error.strerror))
                )
        sources = {name: layers.make_source(name) for name in layers.sources}
        return cls(sources, tuple(problems))

    def get_source(self, name: str) -> Source:
        """The source of that name.

        :raises InvalidArgs: when there is none, naming those that exist.
        """
        if name not in self.sources:
            unknown = messages.SOURCE_UNKNOWN(name=harmless(name))
            remedy = messages.KNOWN_SOURCES(names=sorted(self.sources))
            raise InvalidArgs(unknown.with_remedy(remedy, "dockmgrctl sources"))
        return self.sources[name]

    def find_name(self, url: str) -> str:
        """Name of the source that serves the URL; "" when it is none of the catalog."""
        for source in self.sources.values():
            if url.startswith(f"{source.prefix}/"):
                return source.name
        return ""


@dataclass(frozen=True)
class _Layer:
    """The content of the files so far: the fields of the key and of each source."""

    key: Fields = field(default_factory=dict)
    sources: Mapping[str, Fields] = field(default_factory=dict)
    source_keys: Mapping[str, Fields] = field(default_factory=dict)

    def add_file(self, path: Path) -> _Layer:
        """This layer with the fields of the file on top.

        :raises Malformed, OSError: when the file is not of the form that sources.yaml has.
        """
        top = _read_members(yamltree.read(path), ("key", "sources"))
        key = {**self.key, **(_read_key(top["key"]) if "key" in top else {})}
        sources, source_keys = dict(self.sources), dict(self.source_keys)
        entries = top["sources"].members() if "sources" in top else {}
        for name, entry in entries.items():
            if not _NAME.fullmatch(name):
                raise entry.make_error(messages.SOURCE_NAME_INVALID(name=name))
            if name == FASTEST:
                raise entry.make_error(messages.SOURCE_NAME_RESERVED(name=name))
            members = _read_members(entry, (*_TEXT_FIELDS, "key"))
            texts = {each: members[each].text() for each in _TEXT_FIELDS if each in members}
            if "prefix" in texts:
                texts["prefix"] = _read_prefix(members["prefix"])
            if texts.get("intranet", "true") not in ("true", "false"):
                raise members["intranet"].make_error(messages.NOT_TRUE_OR_FALSE(field="intranet"))
            if "checked" in members:
                yamltree.check_date(members["checked"], "checked")
            sources[name] = {**sources.get(name, {}), **texts}
            if "key" in members:
                source_keys[name] = {**source_keys.get(name, {}), **_read_key(members["key"])}
            if "prefix" not in sources[name]:
                raise entry.make_error(messages.PREFIX_MISSING(name=name))
        return _Layer(key, sources, source_keys)

    def make_source(self, name: str) -> Source:
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
            checked=texts.get("checked", ""),
            source=texts.get("source", ""),
        )


def _read_members(entry: Entry, known: tuple[str, ...]) -> Mapping[str, Entry]:
    """:raises Malformed: when it is not a mapping or has an unknown member."""
    for name, member in entry.members().items():
        if name not in known:
            raise member.make_error(messages.FIELD_UNKNOWN(field=name, known=known))
    return entry.members()


def _read_key(entry: Entry) -> Fields:
    members = _read_members(entry, ("file", "fingerprint"))
    fields = {name: member.text() for name, member in members.items()}
    if "file" in fields and not fields["file"].startswith("/"):
        raise members["file"].make_error(messages.KEY_PATH_RELATIVE())
    if "fingerprint" in fields:
        fields["fingerprint"] = fields["fingerprint"].replace(" ", "").upper()
        if not _FINGERPRINT.fullmatch(fields["fingerprint"]):
            raise members["fingerprint"].make_error(messages.FINGERPRINT_INVALID())
    return fields


def _read_prefix(entry: Entry) -> str:
    """The URL without a slash at its end."""
    url = entry.text()
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise entry.make_error(messages.PREFIX_INVALID()) from error
    usable = parts.scheme in ("https", "http") and parts.hostname and url.isprintable()
    if not usable or " " in url or parts.query or parts.fragment:
        raise entry.make_error(messages.PREFIX_INVALID())
    return url.rstrip("/")


class Sources:
    """The catalog, loaded again when an admin has changed, added or removed a file."""

    def __init__(self) -> None:
        self._catalog = FileCache(lambda: yamltree.list_files(paths.ADMIN_SOURCES), Catalog.load)

    def current(self) -> Catalog:
        """The catalog as the files have it now."""
        return self._catalog.get()
