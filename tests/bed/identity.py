# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bed's own certificate authority and OpenPGP keys, made once per machine."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bed.cache import Recipe, shared, text_of
from bed.shell import checked
from bed.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT = text_of(__file__)
OWN_KEY = "own"
STRANGER_KEY = "stranger"
_LIFETIME_DAYS = "3650"


@dataclass(frozen=True)
class Identity:
    """Where the keys and certificates are."""

    directory: Path

    @property
    def authority(self) -> Path:
        """The certificate that the hosts trust."""
        return self.directory / "ca.pem"

    @property
    def server(self) -> Path:
        """The server's certificate and private key, for every site's name."""
        return self.directory / "server.pem"

    def public_key(self, name: str = OWN_KEY) -> Path:
        """The armored public key with which the bed's (or the stranger's) packages are signed."""
        return self.directory / f"{name}.pub.asc"

    def fingerprint(self, name: str = OWN_KEY) -> str:
        return (self.directory / f"{name}.fingerprint").read_text()

    @contextmanager
    def keyring(self, name: str = OWN_KEY) -> Iterator[Path]:
        """Yield a GnuPG home that holds the secret key, as long as the context lasts."""
        with _gnupg_home() as home:
            _gpg(home, "--import", str(self.directory / f"{name}.key.asc"))
            yield home


def provide() -> Identity:
    """Return the identity of this machine's bed."""
    inputs = (_TEXT, *SITES)
    return Identity(shared().provide(Recipe("identity", inputs), _build))


def _build(directory: Path) -> None:
    _make_certificates(directory)
    for name in (OWN_KEY, STRANGER_KEY):
        _make_key(directory, name)


def _make_certificates(directory: Path) -> None:
    names = ",".join(f"DNS:{host}" for host, site in SITES.items() if site.certified)
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _LIFETIME_DAYS]
    authority = ["-CA", "ca.pem", "-CAkey", "ca.key"]
    usage = ["-addext", f"subjectAltName={names}", "-addext", "basicConstraints=CA:FALSE"]
    checked(
        [*request, "-subj", "/CN=dockmgrd test bed", "-keyout", "ca.key", "-out", "ca.pem"],
        cwd=directory,
    )
    checked(
        [*request, *authority, *usage, "-subj", "/CN=server", "-keyout", "key", "-out", "crt"],
        cwd=directory,
    )
    certificate, key = directory / "crt", directory / "key"
    (directory / "server.pem").write_text(certificate.read_text() + key.read_text())
    certificate.unlink()
    key.unlink()


def _make_key(directory: Path, name: str) -> None:
    owner = f"dockmgrd test bed ({name}) <{name}@bed.test>"
    with _gnupg_home() as home:
        _gpg(home, "--passphrase", "", "--quick-generate-key", owner, "rsa2048", "sign", "never")
        listing = _gpg(home, "--with-colons", "--list-keys", owner)
        (fingerprint,) = (
            line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:")
        )
        (directory / f"{name}.fingerprint").write_text(fingerprint)
        (directory / f"{name}.pub.asc").write_text(_gpg(home, "--armor", "--export", owner))
        secret = _gpg(home, "--armor", "--export-secret-keys", owner)
        (directory / f"{name}.key.asc").write_text(secret)


@contextmanager
def _gnupg_home() -> Iterator[Path]:
    """Yield an empty GnuPG home; its path is short because gpg-agent's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp") as name:
        home = Path(name)
        try:
            yield home
        finally:
            checked(["gpgconf", "--homedir", home, "--kill", "all"])


def _gpg(home: Path, *arguments: str) -> str:
    return checked(["gpg", "--homedir", str(home), "--batch", "--quiet", *arguments])
