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

from dockmgrd.errors import SignatureRejected
from dockmgrd.model import Stage
from dockmgrd.worker import signatures, space
from dockmgrd.worker.backend import Backend, Package, PackageFile, Verdict
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.protocol import Change, InstallPackages

_MOST_IS_BELOW = "/usr"


class Checks:
    """Checks of package files against one keyring, each begun as soon as the file is here.

    They take as long as a quick download, and other processors than that does.
    """

    def __init__(self, ring: signatures.Keyring, files: Iterable[PackageFile]) -> None:
        self._ring = ring
        self.files = {each.nevra: each for each in files}
        self._begun: dict[str, subprocess.Popen[bytes]] = {}

    def arrived(self, nevra: str) -> None:
        """Begin with the file of this package, when it is one to be checked here."""
        with suppress(OSError):  # then it has to wait until all are here
            self._begin(nevra)

    def rejected(self) -> PackageFile | None:
        """The first of the files, in the order given, that is not good."""
        for nevra in self.files:
            self._begin(nevra)
        bad = (file for nevra, file in self.files.items() if self._begun[nevra].wait() != 0)
        return next(bad, None)

    def end(self) -> None:
        """End what is still checked: nobody wants to know any more."""
        for check in self._begun.values():
            check.kill()
            check.wait()

    def _begin(self, nevra: str) -> None:
        if nevra in self.files and nevra not in self._begun:
            self._begun[nevra] = self._ring.check(self.files[nevra].path)


@contextmanager
def checks(
    files: Iterable[PackageFile], request: InstallPackages, given: Sequence[Package]
) -> Iterator[Checks]:
    """Checks of those files that must be signed by the request's key: ours and the given.

    :param given: what the request gives by address.
    :raises SignatureRejected: when rpm cannot read the key file.
    """
    by_address = {each.nevra for each in given}
    ours = [
        each for each in files if each.repository == request.repository or each.nevra in by_address
    ]
    with signatures.keyring([Path(request.key_file)]) as ring:
        begun = Checks(ring, ours)
        try:
            yield begun
        finally:
            begun.end()


def download(
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
    # The exact place of each file is known only afterwards; this spares a useless download.
    sizes = [(str(backend.cache / "packages"), missing), (f"{_MOST_IS_BELOW}/packages", growth)]
    for folder, needed in space.by_file_system(sizes).items():
        space.require(folder, needed, "to download and install the packages")
    channel.progress(Stage.DOWNLOADING, 0.0)
    backend.download(files, channel, checks.arrived)
    for folder, needed in space.by_file_system(_growth(files)).items():
        space.require(folder, needed, "to install the packages")
    return missing


def check(
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
    bad = checks.rejected()
    if bad is not None:
        raise _rejected(bad, f"it is damaged, or not signed by the key {request.fingerprint}")
    others = [each for each in files if each.nevra not in checks.files]
    for position, file in enumerate(others, len(checks.files)):
        channel.progress(Stage.CHECKING, position / len(files), file.name)
        needed.update(dict.fromkeys(_check_other(backend, file)))
    return list(needed)


def _check_other(backend: Backend, file: PackageFile) -> list[Path]:
    """Key files on this host that its rpm does not have yet, and with which the package is good."""
    verdict, reason = backend.judge(file)
    if verdict is Verdict.GOOD:
        return []
    # A repository's key that lies on this host came with the system. One that would have to be
    # fetched is for a person to accept.
    keys = [Path(unquote(urlsplit(url).path)) for url in file.key_urls if url.startswith("file://")]
    if verdict is Verdict.KEY_MISSING and not keys:
        raise SignatureRejected(
            f"rpm does not know the key that signed {file.nevra} from repository "
            f"{file.repository}; install anything from there with dnf once, to look at the key "
            "and accept it."
        )
    if verdict is Verdict.KEY_MISSING:
        with signatures.keyring(keys) as ring:
            if ring.accepts(file.path):
                return keys
    raise _rejected(file, reason)


def _rejected(file: PackageFile, reason: str) -> SignatureRejected:
    return SignatureRejected(
        f"{file.nevra} from {file.address} is not to be trusted: {reason.rstrip('.')}; nothing "
        "was installed, use another source or ask who runs this one."
    )


def _growth(files: Iterable[PackageFile]) -> Iterator[tuple[str, int]]:
    """Path and growth, in bytes, of every file that the packages put on the disk."""
    transaction = rpm.TransactionSet()
    transaction.setVSFlags(rpm._RPMVSF_NOSIGNATURES | rpm._RPMVSF_NODIGESTS)
    for package in files:
        with package.path.open("rb") as file:
            header = transaction.hdrFromFdno(file.fileno())
        for each in rpm.files(header):
            if not each.fflags & rpm.RPMFILE_GHOST:
                yield each.name, max(0, each.size - _present_size(each.name))


def _present_size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
