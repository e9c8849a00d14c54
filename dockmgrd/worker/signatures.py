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
from dockmgrd.messages import dnf as messages
from dockmgrd.worker import openpgp, space

_RPMKEYS = "/usr/bin/rpmkeys"
# A signature must be there, and every one that is there must be good, whatever the host's macros.
_DEMANDS = ("--define", "_pkgverify_level signature", "--define", "_pkgverify_flags 0x0")

_KEYRING_BYTES = 4 << 20


@dataclass(frozen=True)
class Keyring:
    """A keyring in a directory of its own, with the keys of one file in it."""

    directory: Path

    def accepts(self, package: Path) -> bool:
        """Whether the package file is whole and signed by a key of this ring."""
        return self.check(package).wait() == 0

    def check(self, package: Path) -> subprocess.Popen[bytes]:
        """Start to check the package file: the process exits with 0 when it is accepted."""
        return _start_rpmkeys(
            *_make_isolation_options(self.directory), *_DEMANDS, "--checksig", str(package)
        )


@contextmanager
def open_keyring(key_files: Sequence[Path]) -> Iterator[Keyring]:
    """A keyring with the keys of these files, for as long as the context lasts.

    :raises SignatureRejected: when rpm cannot read one.
    :raises InsufficientSpace: when there is no room for temporary files.
    """
    space.require_space(
        Path(tempfile.gettempdir()), _KEYRING_BYTES, messages.SPACE_FOR_TEMPORARY_FILES()
    )
    with tempfile.TemporaryDirectory(prefix="dockmgrd-keys-") as name:
        directory = Path(name)
        for key_file in key_files:
            if not _run_rpmkeys(*_make_isolation_options(directory), "--import", str(key_file)):
                unreadable = messages.KEY_FILE_UNREADABLE_BY_RPM(file=str(key_file))
                raise SignatureRejected(unreadable.with_remedy(messages.REPLACE_KEY_FILE()))
        yield Keyring(directory)


def check_key_file(key_file: Path, fingerprint: str) -> None:
    """:raises SignatureRejected: when the file holds anything but the one key expected."""
    try:
        found = openpgp.read_fingerprints(key_file.read_text(encoding="ascii", errors="strict"))
    except OSError as error:
        unreadable = messages.KEY_FILE_UNREADABLE(file=str(key_file), reason=str(error.strerror))
        raise SignatureRejected(
            unreadable.with_remedy(messages.REINSTALL_OR_CORRECT_KEY())
        ) from error
    except ValueError as error:
        damaged = messages.KEY_FILE_DAMAGED(file=str(key_file), reason=str(error))
        raise SignatureRejected(damaged.with_remedy(messages.REPLACE_KEY_FILE())) from error
    if set(found) != {fingerprint}:
        unexpected = messages.KEY_FILE_UNEXPECTED(
            file=str(key_file), found=found or [messages.NO_KEY()], expected=fingerprint
        )
        raise SignatureRejected(unexpected.with_remedy(messages.CORRECT_KEY_OR_FINGERPRINT()))


def import_key(key_file: Path) -> bool:
    """Import the keys of the file into the host's rpm database; known ones are left alone."""
    return _run_rpmkeys("--import", str(key_file))


def _make_isolation_options(directory: Path) -> tuple[str, ...]:
    return "--dbpath", str(directory), "--define", f"_keyringpath {directory}/pubkeys"


def _run_rpmkeys(*arguments: str) -> bool:
    return _start_rpmkeys(*arguments).wait() == 0


def _start_rpmkeys(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_RPMKEYS, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
