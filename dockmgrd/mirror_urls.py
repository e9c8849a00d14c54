# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names of registries and URLs of their mirrors: which are valid, and their normal forms."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from dockmgrd.errors import InvalidArgs, harmless, quote
from dockmgrd.messages import requests as messages
from dockmgrd.messages.text import Text
from dockmgrd.names import DOCKER_HUB

_HUB_ALIASES = frozenset({"index.docker.io"})
_LOCAL = "localhost"
_MAX_PORT = 65535
# The grammar of a domain in the names of images: github.com/distribution/reference.
_DOMAIN = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_ADDRESS = re.compile(r"\[([0-9a-f:.]+)\]")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}")
_USER = re.compile(r"^([^/]*://|)[^/]*@")
_MAX_HOST_LENGTH = 253
_DOT = re.compile("%2e", re.IGNORECASE)
_PATH_PART = re.compile(r"(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
# IDNA 2003, which Python knows, maps these to other letters; IDNA 2008, which Go uses, does not.
_AMBIGUOUS = frozenset("ßς\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")


class Mode(Enum):
    """How a requested list of mirrors changes the configured one."""

    REPLACE = "replace"
    APPEND = "append"
    REMOVE = "remove"


def normalize_mirrors(urls: list[str]) -> tuple[str, ...]:
    """The mirrors as dockerd lists them: one trailing slash, no duplicates, same order.

    The rules are moby's own (daemon/pkg/registry ValidateMirror). A path is accepted: it depends
    on the engine's version whether a mirror may have one.

    :raises InvalidArgs: naming the URL and what is wrong with it.
    """
    return tuple(dict.fromkeys(normalize_mirror(url) for url in urls))


@lru_cache(maxsize=64)  # The daemon compares the same lists whenever something changes.
def normalize_mirror(url: str) -> str:
    """One mirror's URL: host in lower case and punycode, a single slash at the end.

    :raises InvalidArgs: for anything that dockerd would refuse or that no registry could be.
    """
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise InvalidArgs(messages.MIRROR_HAS_SPACE(url=quote(url)))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        text = messages.MIRROR_NOT_URL(url=quote(url), reason=harmless(str(error)))
        raise InvalidArgs(text) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        remedy = messages.WRITE_LIKE(example="https://mirror.example")
        raise InvalidArgs(messages.MIRROR_NOT_REGISTRY(url=quote(url)).with_remedy(remedy))
    if "@" in parts.netloc:
        text = messages.MIRROR_HAS_USER(host=quote(parts.hostname))
        raise InvalidArgs(text.with_remedy(messages.USE_DOCKER_LOGIN()))
    if parts.query or parts.fragment or "?" in url or "#" in url:
        text = messages.MIRROR_HAS_QUERY(url=quote(url))
        raise InvalidArgs(text.with_remedy(messages.USE_ROOT_URL()))
    if not parts.path.isascii():
        text = messages.MIRROR_PATH_NOT_ASCII(url=quote(url))
        raise InvalidArgs(text.with_remedy(messages.ENCODE_PATH()))
    host = _parse_host(parts, url)
    if port == 0 or parts.netloc.endswith(":"):
        raise InvalidArgs(messages.MIRROR_HOST_NOT_VALID(url=quote(url)))
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}/"


def merge(mode: Mode, present: tuple[str, ...], requested: tuple[str, ...]) -> tuple[str, ...]:
    """The list that results from the present one and the requested one.

    A mirror to remove is found in whatever way the present list spells it.
    """
    if mode is Mode.REMOVE:
        unwanted = {_make_spelling(each) for each in requested}
        return tuple(each for each in present if _make_spelling(each) not in unwanted)
    return tuple(dict.fromkeys((*present, *requested))) if mode is Mode.APPEND else requested


def normalize_known(urls: tuple[str, ...]) -> tuple[str, ...]:
    """The mirrors of a file, to compare with normal ones; those that are not valid as they are."""
    return tuple(dict.fromkeys(_normalize_or_keep(url) for url in urls))


def normalize_unwanted(urls: list[str]) -> tuple[str, ...]:
    """The mirrors to remove: what is not valid as it is, because a file may name it so.

    :raises InvalidArgs: for a URL with control characters or a password, which would be recorded.
    """
    for url in urls:
        if "@" in url or any(ord(character) < 0x20 or ord(character) == 0x7F for character in url):
            normalize_mirror(url)
            raise InvalidArgs(messages.MIRROR_HOST_NOT_VALID(url=quote(url)))
    return normalize_known(tuple(urls))


def find_faults(urls: Iterable[str]) -> dict[str, Text]:
    """The mirrors with which dockerd would not start, and what is wrong with each."""
    faults = {}
    for url in urls:
        try:
            normalize_mirror(url)
        except InvalidArgs as error:
            faults[url] = error.text
    return faults


def strip_password(url: str) -> str:
    """The URL without user and password; it is still found as a mirror to remove."""
    return _USER.sub(r"\1", url)


def has_insecure(mirrors: tuple[str, ...]) -> bool:
    """Whether the engine would use one of them without TLS."""
    return any(url.startswith("http://") for url in mirrors)


def has_own_root(mirror: str) -> bool:
    """Whether the path of the normal mirror says where the API is: https://mirror.example/v2/proxy/.

    Otherwise the API is below /v2, which the engine adds to the path if it does not end so.
    """
    return "v2" in mirror.split("/")[3:-2]


def find_api_root(mirror: str) -> str:
    """The URL of the API of the normal mirror, with a slash at its end."""
    return mirror if has_own_root(mirror) or mirror.endswith("/v2/") else f"{mirror}v2/"


def with_paths(mirrors: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the normal mirrors that are not the root of their host."""
    return tuple(url for url in mirrors if url.count("/") > 3)


def check_paths(mirrors: tuple[str, ...]) -> None:
    """Check that the paths of the normal mirrors are what RFC 3986 calls a path, without steps up.

    :raises InvalidArgs: naming the URL whose path is not.
    """
    for url in mirrors:
        parts = [_DOT.sub(".", part) for part in url.split("/")[3:-1]]
        if not all(_PATH_PART.fullmatch(part) for part in parts):
            text = messages.MIRROR_PATH_NOT_VALID(url=quote(url))
            raise InvalidArgs(text.with_remedy(messages.CORRECT_MIRROR_PATH()))


def normalize_registry(name: str) -> str:
    """The registry as Docker names it: a host in ASCII, and its port when the name has one.

    The result can stand in a path: it has no slash, and it does not begin with a dot.

    :raises InvalidArgs: when no image's name can begin so.
    """
    host, port = _split_registry(name)
    if host != host.lower():
        text = messages.REGISTRY_UPPER_CASE(registry=quote(name))
        raise InvalidArgs(text.with_remedy(messages.WRITE_REGISTRY_IN_LOWERCASE()))
    if not host.isascii():
        host = _encode_registry(host, name)
    address = _ADDRESS.fullmatch(host)
    if address is not None:
        host = _normalize_registry_address(address.group(1), name)
    elif len(host) > _MAX_HOST_LENGTH or not _DOMAIN.fullmatch(host):
        raise _make_registry_error(name)
    elif not port and "." not in host and host != _LOCAL:
        raise _make_registry_error(name)  # Docker takes it for a user of Docker Hub.
    if not port:
        return DOCKER_HUB if host in _HUB_ALIASES else host
    if not _PORT.fullmatch(port[1:]) or int(port[1:]) > _MAX_PORT:
        raise _make_registry_error(name)
    return host + port


def check_url(key: str, url: str) -> None:
    """:raises InvalidArgs: for what is no address that may be fetched by root."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and parts.hostname and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        text = messages.URL_NOT_ALLOWED(option=key, value=quote(url))
        raise InvalidArgs(text.with_remedy(messages.USE_HTTPS_URL()))


def _make_spelling(url: str) -> str:
    """What all spellings of a mirror have in common: blanks, a user and https:// may be missing."""
    bare = strip_password(url.strip())
    if bare and "://" not in bare:
        bare = f"https://{bare}"
    try:
        return normalize_mirror(bare)
    except InvalidArgs:
        return bare.lower().rstrip("/")


def _normalize_or_keep(url: str) -> str:
    try:
        return normalize_mirror(url)
    except InvalidArgs:
        return url


def _parse_host(parts: SplitResult, url: str) -> str:
    """The host in the form that the URL has.

    :raises InvalidArgs: when it is not valid.
    """
    name = parts.hostname or ""
    invalid = InvalidArgs(messages.MIRROR_HOST_NOT_VALID(url=quote(url)))
    if "[" in parts.netloc:
        if "%" in name:  # of this host alone, and Go wants it written otherwise
            raise invalid
        try:
            return f"[{ipaddress.IPv6Address(name).compressed}]"
        except ValueError:
            raise invalid from None
    if not name.isascii():
        if _AMBIGUOUS & set(name):
            text = messages.MIRROR_HOST_AMBIGUOUS(url=quote(url))
            raise InvalidArgs(text.with_remedy(messages.USE_ASCII_HOST()))
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise invalid from None
    labels = name.removesuffix(".").split(".")
    if len(name) > _MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise invalid
    return name


def _split_registry(name: str) -> tuple[str, str]:
    """The host, and the port with its colon; "" when there is none."""
    if name.endswith("]") or ":" not in name:
        return name, ""
    host, colon, port = name.rpartition(":")
    return host, colon + port


def _encode_registry(host: str, name: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise _make_registry_error(name) from None


def _normalize_registry_address(address: str, name: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(address).compressed}]"
    except ValueError:
        raise _make_registry_error(name) from None


def _make_registry_error(name: str) -> InvalidArgs:
    text = messages.REGISTRY_NOT_VALID(registry=quote(name))
    return InvalidArgs(text.with_remedy(messages.NAME_REGISTRY()))
