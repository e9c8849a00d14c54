# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whose certificates are good for which registry, as the engine sees it."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Collection, Sequence
from pathlib import Path

from dockmgrd.paths import REGISTRY_CERTIFICATES


class UnusableCertificate(Exception):
    """A file under certs.d for which the engine would not even try. The text has no full stop."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Trust:
    """The host's authorities, and those under certs.d for one registry with the certificates that
    we show to it; none of all that where it may do without.

    :param insecure: registries (host, or host:port) of the engine's insecure-registries.
    """

    def __init__(
        self, insecure: Collection[str] = (), certificates: Path = REGISTRY_CERTIFICATES
    ) -> None:
        self._insecure = insecure
        self._certificates = certificates
        self._usual: ssl.SSLContext | None = None

    def context(self, registry: str) -> ssl.SSLContext:
        """How to check the certificate of the registry, named as in its URL.

        :raises UnusableCertificate: when the engine would give up at one of its files.
        """
        if registry in self._insecure:
            unchecked = _as_go_checks()
            unchecked.check_hostname = False
            unchecked.verify_mode = ssl.CERT_NONE
            return unchecked
        special = _special(self._certificates / registry)
        if special is not None:
            return special
        if self._usual is None:
            self._usual = _as_go_checks()
        return self._usual


def _special(directory: Path) -> ssl.SSLContext | None:
    """What the files for one registry come to, as moby's registry.ReadCertsDirectory takes them.

    None where there are none.
    """
    try:
        files = sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnusableCertificate(f"{directory} cannot be read: {error.strerror}") from None
    authorities = [path for path in files if path.suffix == ".crt"]
    certificates = [path for path in files if path.suffix == ".cert"]
    keys = [path for path in files if path.suffix == ".key"]
    for path in certificates:
        if path.with_suffix(".key") not in keys:
            raise UnusableCertificate(
                f"{path} has no key {path.stem}.key beside it, and no image can be pulled; the "
                "certificate of an authority has to be called *.crt"
            )
    for path in keys:
        if path.with_suffix(".cert") not in certificates:
            raise UnusableCertificate(
                f"{path} has no client certificate {path.stem}.cert beside it, and no image can "
                "be pulled"
            )
    if not authorities and not certificates:
        return None
    return _with_files(authorities, certificates)


def _with_files(authorities: Sequence[Path], certificates: Sequence[Path]) -> ssl.SSLContext:
    context = _as_go_checks()
    path = Path()
    try:
        for path in authorities:
            # The engine passes over what is in them and is no certificate.
            with contextlib.suppress(ssl.SSLError):
                context.load_verify_locations(path)
        # OpenSSL keeps the last of each kind of key, and the engine begins with the first.
        for path in reversed(certificates):
            context.load_cert_chain(path, path.with_suffix(".key"), password=_no_password)
    except ssl.SSLError:
        raise UnusableCertificate(
            f"{path} and {path.stem}.key are no certificate and its key, and no image can be pulled"
        ) from None
    except OSError as error:
        raise UnusableCertificate(f"{path} or its key cannot be read: {error.strerror}") from None
    return context


def _no_password() -> str:
    """Stands for that of an encrypted key, which the engine cannot read; without this, OpenSSL
    would ask on the terminal.
    """
    return ""


def _as_go_checks() -> ssl.SSLContext:
    """The host's authorities, without what Python 3.13 began to want of certificates and Go does
    not: the engine takes those that private authorities make.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
