# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the section [main] of dnf.conf says about the network, which dnf uses for every source."""

from __future__ import annotations

import configparser
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from dockmgrd import paths
from dockmgrd.job.probe.proxies import Proxies
from dockmgrd.job.probe.trust import Trust

_FALSE = ("0", "no", "false", "off")


@dataclass(frozen=True)
class DnfNetwork:
    """How dnf reaches and trusts the sources."""

    proxies: Proxies = field(default_factory=Proxies)
    authorities: str = ""
    """sslcacert: a file with the only authorities that count; "" for those of the host."""
    verifies: bool = True
    """sslverify: whether certificates are checked at all. Packages are signed in any case."""

    def make_context(self) -> ssl.SSLContext:
        """The TLS context of a connection to a source. A file that cannot be read trusts nobody."""
        if not self.verifies:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        if not self.authorities:
            return Trust().get_usual_context()
        try:
            context = ssl.create_default_context(cafile=self.authorities)
        except (OSError, ssl.SSLError):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # libcurl is not strict
        return context


def read_dnf_network(path: Path | None = None) -> DnfNetwork:
    """Read dnf.conf. Whatever cannot be read is as if it were not set."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(path or paths.DNF_CONFIG, encoding="utf-8")
        main = parser["main"]
    except (configparser.Error, OSError, UnicodeDecodeError, KeyError):
        return DnfNetwork()
    return DnfNetwork(
        _make_proxies(main),
        main.get("sslcacert", "").strip(),
        main.get("sslverify", "").strip().lower() not in _FALSE,
    )


def _make_proxies(main: Mapping[str, str]) -> Proxies:
    proxy = main.get("proxy", "").strip()
    if proxy in ("", "_none_"):
        return Proxies()
    user, password = main.get("proxy_username", ""), main.get("proxy_password", "")
    scheme, separator, rest = proxy.rpartition("://")
    if user and "@" not in rest:
        credentials = f"{quote(user, safe='')}:{quote(password, safe='')}@"
        proxy = f"{scheme or 'http'}{separator or '://'}{credentials}{rest}"
    return Proxies(proxy, proxy)
