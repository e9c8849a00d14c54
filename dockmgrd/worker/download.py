# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package files of a transaction: fetched, and checked before anything is written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import rpm

from dockmgrd.enums import Stage
from dockmgrd.errors import SignatureRejected
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text, foreign_text
from dockmgrd.worker import signatures, space
from dockmgrd.worker.backend import Backend, Package, PackageFile, Verdict
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.protocol import Change, InstallPackages

_MAIN_TARGET = "/usr"
"""Where most of the packages' files go."""


class Checks:
    """Checks of package files against one keyring, each started as soon as the file has arrived.

    They take as long as a fast download, and run on another processor.
    """

    def __init__(self, ring: signatures.Keyring, files: Iterable[PackageFile]) -> None:
        self._ring = ring
        self.files = {each.nevra: each for each in files}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, nevra: str) -> None:
        """Start to check the file of this package, if it is one to be checked here."""
        with suppress(OSError):  # then the check starts once all files are here
            self._start(nevra)

    def find_rejected(self) -> PackageFile | None:
        """The first of the files, in the order given, that is not accepted."""
        for nevra in self.files:
            self._start(nevra)
        bad = (file for nevra, file in self.files.items() if self._running[nevra].wait() != 0)
        return next(bad, None)

    def end(self) -> None:
        """End the checks that still run."""
        for check in self._running.values():
            check.kill()
            check.wait()

    def _start(self, nevra: str) -> None:
        if nevra in self.files and nevra not in self._running:
            self._running[nevra] = self._ring.check(self.files[nevra].path)


@contextmanager
def open_checks(
    files: Iterable[PackageFile], request: InstallPackages, downloaded: Sequence[Package]
) -> Iterator[Checks]:
    """Checks of the files that must be signed with the request's key.

    These are the files from our repository and those that the request gives by URL.

    :param downloaded: the packages that the request gives by URL.
    :raises SignatureRejected: when rpm cannot read the key file.
    """
    by_url = {each.nevra for each in downloaded}
    ours = [each for each in files if each.repository == request.repository or each.nevra in by_url]
    with signatures.open_keyring([Path(request.key_file)]) as ring:
        running = Checks(ring, ours)
        try:
            yield running
        finally:
            running.end()


def download_packages(
    backend: Backend,
    files: Sequence[PackageFile],
    changes: Iterable[Change],
    checks: Checks,
    channel: Channel,
) -> int:
    """Fetch the package files that are not here yet; the bytes to fetch.

    :raises InsufficientSpace: before the first byte, or when the space was gone on the way.
    :raises SourceUnreachable: when a file cannot be had, or is not what the metadata says.
    """
    changes = list(changes)
    missing = sum(each.download for each in changes)
    growth = max(0, sum(each.growth for each in changes))
    # The path of each file is known only afterwards; this avoids a useless download.
    sizes = [(str(backend.cache / "packages"), missing), (f"{_MAIN_TARGET}/packages", growth)]
    for folder, needed in space.sum_by_file_system(sizes).items():
        space.require_space(folder, needed, messages.SPACE_TO_DOWNLOAD_AND_INSTALL())
    channel.progress(Stage.DOWNLOADING, 0.0)
    backend.download(files, channel, checks.start)
    for folder, needed in space.sum_by_file_system(_list_growth(files)).items():
        space.require_space(folder, needed, messages.SPACE_TO_INSTALL())
    return missing


def check_packages(
    backend: Backend,
    files: Sequence[PackageFile],
    request: InstallPackages,
    checks: Checks,
    channel: Channel,
) -> list[Path]:
    """Check every package file: ours against the pinned key, others as their repository demands.

    :returns: the key files that rpm is to have before the transaction.
    :raises SignatureRejected: naming the first package that is not what it must be.
    """
    needed = {Path(request.key_file): None}
    channel.progress(Stage.CHECKING, 0.0)
    bad = checks.find_rejected()
    if bad is not None:
        raise _make_rejection(bad, messages.NOT_SIGNED_BY(fingerprint=request.fingerprint))
    others = [each for each in files if each.nevra not in checks.files]
    for position, file in enumerate(others, len(checks.files)):
        channel.progress(Stage.CHECKING, position / len(files), file.name)
        needed.update(dict.fromkeys(_check_other(backend, file)))
    return list(needed)


def _check_other(backend: Backend, file: PackageFile) -> list[Path]:
    """Key files on this host that rpm needs to accept the package; empty when it accepts it now."""
    verdict, reason = backend.judge(file)
    if verdict is Verdict.GOOD:
        return []
    # A key that lies on this host came with the system. A key that would have to be downloaded
    # must be accepted by a person.
    keys = [Path(unquote(urlsplit(url).path)) for url in file.key_urls if url.startswith("file://")]
    if verdict is Verdict.KEY_MISSING and not keys:
        unknown = messages.KEY_UNKNOWN(package=file.nevra, repository=file.repository)
        raise SignatureRejected(unknown.with_remedy(messages.ACCEPT_KEY_ONCE()))
    if verdict is Verdict.KEY_MISSING:
        with signatures.open_keyring(keys) as ring:
            if ring.accepts(file.path):
                return keys
    raise _make_rejection(file, foreign_text(reason.rstrip(".")))


def _make_rejection(file: PackageFile, reason: Text) -> SignatureRejected:
    text = messages.PACKAGE_REJECTED(package=file.nevra, address=file.address, reason=reason)
    return SignatureRejected(text.with_remedy(messages.USE_OTHER_SOURCE()))


def _list_growth(files: Iterable[PackageFile]) -> Iterator[tuple[str, int]]:
    """Path and growth, in bytes, of every file that the packages put on the disk."""
    transaction = rpm.TransactionSet()
    transaction.setVSFlags(rpm._RPMVSF_NOSIGNATURES | rpm._RPMVSF_NODIGESTS)
    for package in files:
        with package.path.open("rb") as file:
            header = transaction.hdrFromFdno(file.fileno())
        for each in rpm.files(header):
            if not each.fflags & rpm.RPMFILE_GHOST:
                yield each.name, max(0, each.size - _get_size(each.name))


def _get_size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
