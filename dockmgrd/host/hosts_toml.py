# SPDX-License-Identifier: LGPL-2.1-or-later
"""The content of a hosts.toml file as dockmgrd writes it, and how it is recognized again.

Python 3.9 has no parser of TOML. A digest in the file tells whether each byte is ours, so a file
that a person has edited is never taken for one of ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dockmgrd.mirror_urls import has_own_root, normalize_known

_HEADER = (
    "# Written by dockmgrd. To change it: dockmgrctl set-mirror --registry {registry} URL...\n"
    "# dockmgrd leaves the file alone once it is edited. SHA-256 of what follows: {digest}\n"
)
_FOLDER_MARK = "# dockmgrd created this folder.\n"
_HOST = re.compile(r'^\[host\."([^"\\\n]+)"\]$', re.MULTILINE)


@dataclass(frozen=True)
class Certificates:
    """Files that TLS needs; relative paths are in the folder of the hosts.toml."""

    authorities: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    """Each a client's certificate and its key."""


@dataclass(frozen=True)
class Endpoint:
    """A server that images come from."""

    url: str = ""
    """Normal; "" for the registry itself where Docker finds it."""
    certificates: Certificates = Certificates()
    unchecked: bool = False
    """Whether its certificate is not checked."""


@dataclass(frozen=True)
class HostsToml:
    """What a file of ours says."""

    mirrors: tuple[str, ...]
    made_folder: bool
    """Whether dockmgrd has made the folder that it is in."""


def render(
    registry: str, server: Endpoint, mirrors: Sequence[Endpoint], *, made_folder: bool
) -> bytes:
    """The bytes of a file that has the engine try the mirrors in this order, then the server."""
    lines = [_FOLDER_MARK] if made_folder else []
    if server.url:
        lines.append(f"server = {_quote(server.url.rstrip('/'))}\n")
    lines += _render_tls(server)
    for mirror in mirrors:
        url = mirror.url.rstrip("/")
        lines.append(f"\n[host.{_quote(url)}]\n")
        lines.append('capabilities = ["pull", "resolve"]\n')
        if has_own_root(mirror.url):
            lines.append("override_path = true\n")
        lines += _render_tls(mirror)
    return _add_header(registry, "".join(lines))


def parse(registry: str, data: bytes) -> HostsToml | None:
    """What the file says; None when it is not what dockmgrd wrote for the registry."""
    try:
        lines = data.decode("utf-8").split("\n", 2)
    except UnicodeDecodeError:
        return None
    body = lines[2] if len(lines) == 3 else ""
    if _add_header(registry, body) != data:
        return None
    mirrors = normalize_known(tuple(_HOST.findall(body)))
    return HostsToml(mirrors, body.startswith(_FOLDER_MARK))


def _add_header(registry: str, body: str) -> bytes:
    digest = hashlib.sha256(body.encode("utf-8")).hexdigest()
    return (_HEADER.format(registry=registry, digest=digest) + body).encode("utf-8")


def _render_tls(endpoint: Endpoint) -> list[str]:
    lines = []
    if endpoint.certificates.authorities:
        names = ", ".join(map(_quote, endpoint.certificates.authorities))
        lines.append(f"ca = [{names}]\n")
    if endpoint.certificates.pairs:
        pairs = [f"[{_quote(one)}, {_quote(key)}]" for one, key in endpoint.certificates.pairs]
        lines.append(f"client = [{', '.join(pairs)}]\n")
    if endpoint.unchecked:
        lines.append("skip_verify = true\n")
    return lines


def _quote(text: str) -> str:
    """The text as a basic string of TOML, which escapes as JSON does, and DEL as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
