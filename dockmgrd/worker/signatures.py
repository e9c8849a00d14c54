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
from dockmgrd.worker.parent import make_child_setup

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
        return self._start_rpmkeys(*_DEMANDS, "--checksig", str(package))

    def add(self, key_file: Path) -> bool:
        """Import the keys of the file into this ring; False when rpm cannot read it."""
        return self._start_rpmkeys("--import", str(key_file)).wait() == 0

    def _start_rpmkeys(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start rpmkeys with this ring. It ends with us: else it would write into the directory
        that whoever cleans up after us deletes.
        """
        options = ("--dbpath", str(self.directory))
        rings = ("--define", f"_keyringpath {self.directory}/pubkeys")
        return subprocess.Popen(
            [_RPMKEYS, *options, *rings, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=make_child_setup(),
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
        ring = Keyring(Path(name))
        for key_file in key_files:
            if not ring.add(key_file):
                unreadable = messages.KEY_FILE_UNREADABLE_BY_RPM(file=str(key_file))
                raise SignatureRejected(unreadable.with_remedy(messages.REPLACE_KEY_FILE()))
        yield ring


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
    """Import the keys of the file into the host's rpm database; known ones are left alone.

    This is a part of what rpm writes: nothing ends it, not even our end.
    """
    command = [_RPMKEYS, "--import", str(key_file)]
    quiet = subprocess.DEVNULL
    return subprocess.run(command, stdin=quiet, stdout=quiet, check=False).returncode == 0
