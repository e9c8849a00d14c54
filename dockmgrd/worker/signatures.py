# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures of RPM files, checked against exactly one key file.

`rpmkeys` does it, in a keyring of our own: what the host trusts does not count, and no key gets
into the host's database before everything is checked. Its exit status alone decides. Seen with
rpm 4.16, 4.18, 4.20 and 6.1: 0 for a good signature of that key, and 1 for no signature, one of
another key, and any damage to header, payload or length.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.errors import SignatureRejected
from dockmgrd.worker import openpgp, space

_RPMKEYS = "/usr/bin/rpmkeys"
# A signature must be there, and every one that is there must be good, whatever the host's macros.
_DEMANDS = ("--define", "_pkgverify_level signature", "--define", "_pkgverify_flags 0x0")

_KEYRING_SIZE = 4 << 20


@dataclass(frozen=True)
class Keyring:
    """A keyring in a directory of its own, with the keys of one file in it."""

    directory: Path

    def accepts(self, package: Path) -> bool:
        """Whether the package file is whole and signed by a key of this ring."""
        return self.check(package).wait() == 0

    def check(self, package: Path) -> subprocess.Popen[bytes]:
        """Begin to check the package file: the process ends with 0 when it is accepted."""
        return _begin(*_isolated(self.directory), *_DEMANDS, "--checksig", str(package))


@contextmanager
def keyring(key_files: Sequence[Path]) -> Iterator[Keyring]:
    """A keyring with the keys of these files, for as long as the context lasts.

    :raises SignatureRejected: when rpm cannot read one.
    :raises InsufficientSpace: when there is no room for temporary files.
    """
    space.require(Path(tempfile.gettempdir()), _KEYRING_SIZE, "for temporary files")
    with tempfile.TemporaryDirectory(prefix="dockmgrd-keys-") as name:
        directory = Path(name)
        for key_file in key_files:
            if not _rpmkeys(*_isolated(directory), "--import", str(key_file)):
                raise SignatureRejected(
                    f"rpm cannot read the key file {key_file}; replace it by a sound copy."
                )
        yield Keyring(directory)


def check_key_file(key_file: Path, fingerprint: str) -> None:
    """:raises SignatureRejected: when the file holds anything but the one key expected."""
    try:
        found = openpgp.fingerprints(key_file.read_text(encoding="ascii", errors="strict"))
    except OSError as error:
        raise SignatureRejected(
            f"The key file {key_file} cannot be read: {error.strerror}; reinstall dockmgrd, or "
            "correct 'key' in /etc/dockmgrd/sources.d."
        ) from error
    except ValueError as error:
        raise SignatureRejected(
            f"The key file {key_file} is damaged: {error}; replace it by a sound copy."
        ) from error
    if set(found) != {fingerprint}:
        raise SignatureRejected(
            f"The key file {key_file} holds {', '.join(found) or 'no key'} and not the key "
            f"{fingerprint} that the catalogue of sources names; correct one of the two."
        )


def import_key(key_file: Path) -> bool:
    """Have the host's rpm trust the keys of the file; one that it has already is left alone."""
    return _rpmkeys("--import", str(key_file))


def _isolated(directory: Path) -> tuple[str, ...]:
    return "--dbpath", str(directory), "--define", f"_keyringpath {directory}/pubkeys"


def _rpmkeys(*arguments: str) -> bool:
    return _begin(*arguments).wait() == 0


def _begin(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_RPMKEYS, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
