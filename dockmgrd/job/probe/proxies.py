# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which proxy the engine takes to which host: the rules of Go's golang.org/x/net/http/httpproxy."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Union
from urllib.parse import unquote, urlsplit

MASK = "xxxxx"
"""What the engine's /info has in place of a name and a password: moby's MaskCredentials."""

DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

_IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclass(frozen=True)
class Proxy:
    """A proxy. `str` of it is its host and port, which everybody may see."""

    scheme: str
    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Proxy | None:
        """The proxy that a variable or an option names; None when Go would ignore it."""
        try:
            parts = urlsplit(text)
            if not parts.scheme or not parts.netloc:
                parts = urlsplit(f"http://{text}")
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
        except ValueError:
            return None
        if not text or not parts.hostname:
            return None
        user = None if parts.username is None else unquote(parts.username)
        return cls(parts.scheme, parts.hostname, port, user, unquote(parts.password or ""))

    @property
    def is_masked(self) -> bool:
        """Whether it needs credentials that the engine hides."""
        return (self.user, self.password) == (MASK, MASK)

    @property
    def headers(self) -> dict[str, str]:
        """The headers for each request that it sees."""
        if self.user is None or self.is_masked:
            return {}
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {credentials}"}

    def is_at(self, other: Proxy) -> bool:
        """Whether both are the same apart from their credentials."""
        mine, its = ((each.scheme, each.host, each.port) for each in (self, other))
        return mine == its

    def __str__(self) -> str:
        return format_authority(self.host, self.port)


class Proxies:
    """The proxies of a running engine.

    :param http: that for http, as HTTP_PROXY has it; "" for none.
    :param https: that for https.
    :param exceptions: where none is used, as NO_PROXY has it.
    """

    def __init__(self, http: str = "", https: str = "", exceptions: str = "") -> None:
        self._by_scheme = {"http": Proxy.parse(http), "https": Proxy.parse(https)}
        self._rules = tuple(_parse_rules(exceptions))

    def find_proxy(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for requests to the host; None for those that go there directly."""
        address = _parse_address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return None
        if any(rule.matches(host.lower(), port, address) for rule in self._rules):
            return None
        return self._by_scheme.get(scheme)

    def list_used_for(self, urls: Iterable[str]) -> list[Proxy]:
        """The proxies that are used for these, each once."""
        ways = (self.find_proxy(*destination(url)) for url in urls)
        return list(dict.fromkeys(way for way in ways if way is not None))


def destination(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of the URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)


def format_authority(host: str, port: int) -> str:
    """Host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True)
class _Rule:
    """An entry of NO_PROXY. `suffix` begins with a dot; a port of "" is any."""

    network: _Network | None = None
    suffix: str = ""
    port: str = ""
    everything: bool = False
    itself: bool = False
    """Whether the suffix stands for the domain, too, and not only for what is in it."""

    def matches(self, host: str, port: int, address: _IPAddress | None) -> bool:
        if self.everything:
            return True
        if self.port not in ("", str(port)):
            return False
        if address is not None:
            return self.network is not None and address in self.network
        if not self.suffix:
            return False
        return host.endswith(self.suffix) or (self.itself and host == self.suffix[1:])


def _parse_rules(text: str) -> Iterator[_Rule]:
    for entry in (each.strip().lower() for each in text.split(",")):
        if entry == "*":
            yield _Rule(everything=True)
        elif "/" in entry:
            with suppress(ValueError):
                yield _Rule(ipaddress.ip_network(entry, strict=False))
        elif entry:
            yield from _make_host_rules(*_split_entry(entry))


def _make_host_rules(host: str, port: str) -> Iterator[_Rule]:
    if _parse_address(host) is not None:
        yield _Rule(ipaddress.ip_network(host), port=port)
    elif host:
        suffix = host[1:] if host.startswith("*.") else host
        itself = not suffix.startswith(".")
        yield _Rule(suffix=f".{suffix}" if itself else suffix, port=port, itself=itself)


def _split_entry(entry: str) -> tuple[str, str]:
    """Host and port of an entry. An IPv6 address has a port only when it is in brackets."""
    if entry.startswith("[") and "]:" in entry:
        host, _, port = entry[1:].partition("]:")
        return host, port
    host, _, port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
    return host, port


def _parse_address(host: str) -> _IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
