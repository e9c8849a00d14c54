# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package files of a transaction: fetched, and checked before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
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


def download(
    backend: Backend, files: Sequence[PackageFile], changes: Iterable[Change], channel: Channel
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
    backend.download(files, channel)
    for folder, needed in space.by_file_system(_growth(files)).items():
        space.require(folder, needed, "to install the packages")
    return missing


def check(
    backend: Backend,
    files: Sequence[PackageFile],
    request: InstallPackages,
    given: Sequence[Package],
    channel: Channel,
) -> list[Path]:
    """Check every package file: ours against the pinned key, others as their repository demands.

    :param given: what the request gives by address, which is to be signed by that key, too.
    :returns: the key files that rpm is to have before the transaction.
    :raises SignatureRejected: naming the first package that is not what it must be.
    """
    key_file = Path(request.key_file)
    needed = {key_file: None}
    by_address = {each.nevra for each in given}
    ours = [
        each for each in files if each.repository == request.repository or each.nevra in by_address
    ]
    channel.progress(Stage.CHECKING, 0.0)
    with signatures.keyring([key_file]) as ring:
        # All at once is quicker; which one it is that is not good takes a second look.
        if not ring.accepts(*(each.path for each in ours)):
            bad = next((each for each in ours if not ring.accepts(each.path)), ours[0])
            raise _rejected(bad, f"it is damaged, or not signed by the key {request.fingerprint}")
    for position, file in enumerate(each for each in files if each not in ours):
        channel.progress(Stage.CHECKING, (len(ours) + position) / len(files), file.name)
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
