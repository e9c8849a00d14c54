# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parsers of a repository's metadata, as far as measuring needs it. Any input gives a result.

They search texts of bounded size instead of building trees, so that neither depth nor entities of
hostile XML cost anything.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

MAX_REPOMD_BYTES = 256 << 10
_MAX_PRIMARY_BYTES = 16 << 20
_MAX_HEAD_BYTES = 512
_MAX_PART_BYTES = 4096
_GZIP = 16 + zlib.MAX_WBITS

_TYPE = re.compile(rb"""\stype\s?=\s?["']primary["']""")
_CHECKSUM = re.compile(rb"""<checksum\s[^<>]{0,64}type=["']sha256["'][^<>]{0,64}>([0-9a-f]{64})<""")
_LOCATION = re.compile(rb"""<location\s[^<>]{0,200}?href=["']([!-~]{1,300}?)["']""")
_TIMESTAMP = re.compile(rb"<timestamp>\s{0,8}([0-9]{1,12})")
_REVISION = re.compile(rb"<revision>\s{0,8}([0-9]{1,12})\s{0,8}<")
_PATH = re.compile(r"[A-Za-z0-9._+~^:%-]+(/[A-Za-z0-9._+~^:%-]+)*")
_ENGINE = re.compile(r"(?:.*/)?docker-ce-[0-9][^/]*\.rpm")


@dataclass(frozen=True)
class Repomd:
    """What repomd.xml says: when its metadata were made, and where the list of packages is."""

    time: int
    """Seconds since the epoch."""
    primary: str
    """Path below the repository."""
    digest: str
    """SHA-256 of the list; "" when it names none."""


def parse_repomd(body: bytes) -> Repomd | None:
    """None when it is no repomd.xml with a list of packages and a time."""
    body = body[:MAX_REPOMD_BYTES]
    if b"<repomd" not in body[:_MAX_PART_BYTES]:
        return None
    times = [int(each[1]) for each in (*_TIMESTAMP.finditer(body), *_REVISION.finditer(body))]
    for part in body.split(b"<data")[1:]:
        head = part[:_MAX_HEAD_BYTES].partition(b">")[0]
        if not _TYPE.search(head):
            continue
        fields = part[:_MAX_PART_BYTES].partition(b"</data")[0]
        location, checksum = _LOCATION.search(fields), _CHECKSUM.search(fields)
        path = location and _read_path(location[1])
        if path and any(times):
            return Repomd(max(times), path, checksum[1].decode() if checksum else "")
        return None
    return None


def find_package(primary: bytes) -> str:
    """The path of a package in a gzipped list of them: the engine's, or else any.

    "" when none can be found, also because the list is compressed in another way.
    """
    try:
        text = zlib.decompressobj(_GZIP).decompress(primary, _MAX_PRIMARY_BYTES)
    except zlib.error:
        return ""
    paths = [path for path in map(_read_path, _LOCATION.findall(text)) if path.endswith(".rpm")]
    engines = [path for path in paths if _ENGINE.fullmatch(path)]
    return max(engines or paths, default="")


def _read_path(href: bytes) -> str:
    """The path below the repository; "" for one that leads elsewhere."""
    path = href.decode("ascii")
    return path if _PATH.fullmatch(path) and ".." not in path.split("/") else ""
