# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which certificates the engine trusts for which registry."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Collection, Sequence
from pathlib import Path

from dockmgrd.messages import probe as messages
from dockmgrd.messages.text import Text
from dockmgrd.paths import REGISTRY_CERTIFICATES


class UnusableCertificate(Exception):
    """A file under certs.d that keeps the engine from pulling at all."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


class Trust:
    """The host's authorities, and for one registry the certificates and keys under certs.d.

    Insecure registries need none of them.

    :param insecure: registries (host, or host:port) of the engine's insecure-registries.
    """

    def __init__(
        self, insecure: Collection[str] = (), certificates: Path = REGISTRY_CERTIFICATES
    ) -> None:
        self._insecure = insecure
        self._certificates = certificates
        self._usual: ssl.SSLContext | None = None

    def context(self, registry: str) -> ssl.SSLContext:
        """The TLS context for a registry, named as in its URL.

        :raises UnusableCertificate: when one of its files would stop the engine.
        """
        if registry in self._insecure:
            unchecked = _make_go_context()
            unchecked.check_hostname = False
            unchecked.verify_mode = ssl.CERT_NONE
            return unchecked
        special = _read_certificates(self._certificates / registry)
        return self.get_usual_context() if special is None else special

    def get_usual_context(self) -> ssl.SSLContext:
        """The TLS context with the host's authorities alone."""
        if self._usual is None:
            self._usual = _make_go_context()
        return self._usual


def _read_certificates(directory: Path) -> ssl.SSLContext | None:
    """The TLS context of one registry's files, read as moby's registry.ReadCertsDirectory does.

    None where there are none.
    """
    try:
        files = sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnusableCertificate(
            messages.CERTIFICATES_UNREADABLE(path=str(directory), reason=str(error.strerror))
        ) from None
    authorities = [path for path in files if path.suffix == ".crt"]
    certificates = [path for path in files if path.suffix == ".cert"]
    keys = [path for path in files if path.suffix == ".key"]
    for path in certificates:
        if path.with_suffix(".key") not in keys:
            raise UnusableCertificate(
                messages.CERTIFICATE_WITHOUT_KEY(path=str(path), key=f"{path.stem}.key")
            )
    for path in keys:
        if path.with_suffix(".cert") not in certificates:
            raise UnusableCertificate(
                messages.KEY_WITHOUT_CERTIFICATE(path=str(path), certificate=f"{path.stem}.cert")
            )
    if not authorities and not certificates:
        return None
    return _load_certificates(authorities, certificates)


def _load_certificates(authorities: Sequence[Path], certificates: Sequence[Path]) -> ssl.SSLContext:
    context = _make_go_context()
    path = Path()
    try:
        for path in authorities:
            # The engine skips everything in them that is not a certificate.
            with contextlib.suppress(ssl.SSLError):
                context.load_verify_locations(path)
        # OpenSSL keeps the last of each kind of key, and the engine begins with the first.
        for path in reversed(certificates):
            context.load_cert_chain(path, path.with_suffix(".key"), password=_refuse_password)
    except ssl.SSLError:
        raise UnusableCertificate(
            messages.NOT_A_CERTIFICATE(path=str(path), key=f"{path.stem}.key")
        ) from None
    except OSError as error:
        raise UnusableCertificate(
            messages.CERTIFICATES_UNREADABLE(path=str(path), reason=str(error.strerror))
        ) from None
    return context


def _refuse_password() -> str:
    """The password for an encrypted key, which the engine cannot read.

    Without this, OpenSSL would ask on the terminal.
    """
    return ""


def _make_go_context() -> ssl.SSLContext:
    """A context with the host's authorities that checks as Go does.

    Python 3.13 is stricter than Go and would reject certificates of private authorities.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
