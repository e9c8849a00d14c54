# SPDX-License-Identifier: LGPL-2.1-or-later
"""URLs of registry mirrors: what may be one, what it is written like, and lists of them."""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import SplitResult, urlsplit

from dockmgrd.errors import InvalidArgs, shown

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}")
_LONGEST_HOST = 253
# IDNA 2003, which Python knows, maps these to other letters; IDNA 2008, which Go uses, does not.
_AMBIGUOUS = frozenset("ßς\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")


class Mode(Enum):
    """What a list of mirrors is to the list that is there."""

    REPLACE = "replace"
    APPEND = "append"
    REMOVE = "remove"


def normalise_mirrors(urls: list[str]) -> tuple[str, ...]:
    """The mirrors as dockerd will list them: one trailing slash, no doubles, order kept.

    The rules are moby's own (daemon/pkg/registry ValidateMirror). A path is let pass: whether it
    may have one is up to the engine's version.

    :raises InvalidArgs: naming the URL and what is wrong with it.
    """
    return tuple(dict.fromkeys(normalise_mirror(url) for url in urls))


def normalise_mirror(url: str) -> str:
    """One mirror's URL: host in lower case and punycode, a single slash at the end.

    :raises InvalidArgs: for anything that dockerd would refuse or that no registry could be.
    """
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise InvalidArgs(f"Mirror {shown(url)} has a space or a control character in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidArgs(f"Mirror {shown(url)} is no URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidArgs(
            f"Mirror {shown(url)} is no URL of a registry; write it like https://mirror.example."
        )
    if "@" in parts.netloc:
        raise InvalidArgs(
            f"Mirror at {shown(parts.hostname)} has a user name in its URL, which dockerd "
            "refuses; use 'docker login' for a registry that asks for one."
        )
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise InvalidArgs(f"Mirror {shown(url)} has a query or fragment; give its root alone.")
    if not parts.path.isascii():
        raise InvalidArgs(f"Mirror {shown(url)} has a path that is not ASCII; write it in %XX.")
    host = _host(parts, url)
    if port == 0 or parts.netloc.endswith(":"):
        raise InvalidArgs(f"Mirror {shown(url)} names no possible host and port.")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}/"


def merged(mode: Mode, present: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    """The list that comes of the one that is there and the one that is given."""
    if mode is Mode.REMOVE:
        return tuple(each for each in present if each not in given)
    return tuple(dict.fromkeys((*present, *given))) if mode is Mode.APPEND else given


def as_known(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Mirrors of a file, normalised where they can be: to compare with a list that is."""
    return tuple(dict.fromkeys(_normalised_or_same(url) for url in urls))


def insecure(mirrors: tuple[str, ...]) -> bool:
    """Whether one of them would be spoken to without TLS."""
    return any(url.startswith("http://") for url in mirrors)


def with_path(mirrors: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the normalised mirrors that are not the root of their host."""
    return tuple(url for url in mirrors if url.count("/") > 3)


def _normalised_or_same(url: str) -> str:
    try:
        return normalise_mirror(url)
    except InvalidArgs:
        return url


def _host(parts: SplitResult, url: str) -> str:
    """The host as it goes into the URL.

    :raises InvalidArgs: when there can be none of that name.
    """
    name = parts.hostname or ""
    impossible = InvalidArgs(f"Mirror {shown(url)} names no possible host and port.")
    if "[" in parts.netloc:
        import ipaddress  # rarely needed, and slow to load

        if "%" in name:  # of this host alone, and Go wants it written otherwise
            raise impossible
        try:
            return f"[{ipaddress.IPv6Address(name).compressed}]"
        except ValueError:
            raise impossible from None
    if not name.isascii():
        if _AMBIGUOUS & set(name):
            raise InvalidArgs(
                f"Mirror {shown(url)} has a host name that is read in two ways; write the name "
                "in its ASCII form, which begins with xn--."
            )
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise impossible from None
    labels = name.removesuffix(".").split(".")
    if len(name) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise impossible
    return name
