# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whose certificates are good for which registry, as the engine sees it."""

from __future__ import annotations

import ssl
from collections.abc import Collection
from pathlib import Path

from dockmgrd.paths import REGISTRY_CERTIFICATES


class Trust:
    """The host's authorities, those under certs.d for one registry, and none where it may do
    without.

    :param insecure: registries (host, or host:port) of the engine's insecure-registries.
    """

    def __init__(
        self, insecure: Collection[str] = (), certificates: Path = REGISTRY_CERTIFICATES
    ) -> None:
        self._insecure = insecure
        self._certificates = certificates
        self._usual: ssl.SSLContext | None = None

    def context(self, registry: str) -> ssl.SSLContext:
        """How to check the certificate of the registry, named as in its URL."""
        if registry in self._insecure:
            unchecked = _as_go_checks()
            unchecked.check_hostname = False
            unchecked.verify_mode = ssl.CERT_NONE
            return unchecked
        own = sorted((self._certificates / registry).glob("*.crt"))
        if own:
            special = _as_go_checks()
            for path in own:
                special.load_verify_locations(path)
            return special
        if self._usual is None:
            self._usual = _as_go_checks()
        return self._usual


def _as_go_checks() -> ssl.SSLContext:
    """The host's authorities, without what Python 3.13 began to want of certificates and Go does
    not: the engine takes those that private authorities make.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
