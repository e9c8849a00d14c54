# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package files of a dnf4 transaction: fetched, and checked before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dnf.exceptions
import rpm

from dockmgrd.errors import SignatureRejected
from dockmgrd.model import Stage
from dockmgrd.worker import dnf4_base, signatures, space
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.dnf4_progress import DownloadProgress
from dockmgrd.worker.protocol import InstallPackages

_MOST_IS_BELOW = "/usr"
_KEY_MAY_HELP = 1  # what package_signature_check says of a key that rpm does not have


def download(base: Any, packages: Sequence[Any], request: InstallPackages, channel: Channel) -> int:
    """Fetch the package files that are not there yet; the bytes fetched.

    :raises InsufficientSpace: before the first byte, or when the space was gone on the way.
    :raises SourceUnreachable: when a file cannot be had, or is not what the metadata says.
    """
    cache = Path(base.conf.cachedir)
    missing: int = sum(each.downloadsize for each in packages if not _is_here(each))
    replaced = sum(each.installsize for each in base.transaction.remove_set)
    growth = max(0, sum(each.installsize for each in packages) - replaced)
    # The exact place of each file is known only afterwards; this spares a useless download.
    sizes = [(str(cache / "packages"), missing), (f"{_MOST_IS_BELOW}/packages", growth)]
    for folder, needed in space.by_file_system(sizes).items():
        space.require(folder, needed, "to download and install the packages")
    channel.progress(Stage.DOWNLOADING, 0.0)
    progress = DownloadProgress(channel)
    try:
        base.download_packages(packages, progress)
    except dnf.exceptions.DownloadError as error:
        space.require_not_exhausted(cache, "to download packages")
        package, reasons = next(iter(error.errmap.items()))
        name = package.reponame if package else request.repository
        reason = progress.failures.get(str(package), reasons[0])
        raise dnf4_base.unreachable(base.repos[name], reason) from error
    for folder, needed in space.by_file_system(_growth(packages)).items():
        space.require(folder, needed, "to install the packages")
    return missing


def check(
    base: Any, packages: Sequence[Any], request: InstallPackages, channel: Channel
) -> list[Path]:
    """Check every package file: ours against the pinned key, others as their repository demands.

    :returns: the key files that rpm is to have before the transaction.
    :raises SignatureRejected: naming the first package that is not what it must be.
    """
    key_file = Path(request.key_file)
    needed = {key_file: None}
    with signatures.keyring([key_file]) as ring:
        for position, package in enumerate(packages):
            channel.progress(Stage.CHECKING, position / len(packages), package.name)
            if package.reponame != request.repository:
                needed.update(dict.fromkeys(_check_other(base, package)))
            elif not ring.accepts(Path(package.localPkg())):
                raise _rejected(
                    base, package, f"it is damaged, or not signed by the key {request.fingerprint}"
                )
    return list(needed)


def _check_other(base: Any, package: Any) -> list[Path]:
    """Key files on this host that its rpm does not have yet, and with which the package is good."""
    result, reason = base.package_signature_check(package)
    if result == 0:
        return []
    # A repository's key that lies on this host came with the system. One that would have to be
    # fetched is for a person to accept.
    files = [
        Path(unquote(urlsplit(url).path))
        for url in base.repos[package.reponame].gpgkey
        if url.startswith("file://")
    ]
    if result == _KEY_MAY_HELP and not files:
        raise SignatureRejected(
            f"rpm does not know the key that signed {package} from repository {package.reponame}; "
            "install anything from there with dnf once, to look at the key and accept it."
        )
    if result == _KEY_MAY_HELP:
        with signatures.keyring(files) as ring:
            if ring.accepts(Path(package.localPkg())):
                return files
    raise _rejected(base, package, reason)


def _rejected(base: Any, package: Any, reason: str) -> SignatureRejected:
    repository = base.repos[package.reponame]
    address = ", ".join(repository.baseurl) or repository.metalink or repository.mirrorlist
    return SignatureRejected(
        f"{package} from {address} is not to be trusted: {reason.rstrip('.')}; nothing was "
        "installed, use another source or ask who runs this one."
    )


def _is_here(package: Any) -> bool:
    try:
        return os.path.getsize(package.localPkg()) == int(package.downloadsize)
    except OSError:
        return False


def _growth(packages: Iterable[Any]) -> Iterable[tuple[str, int]]:
    """Path and growth, in bytes, of every file that the packages put on the disk."""
    transaction = rpm.TransactionSet()
    transaction.setVSFlags(rpm._RPMVSF_NOSIGNATURES | rpm._RPMVSF_NODIGESTS)
    for package in packages:
        with open(package.localPkg(), "rb") as file:
            header = transaction.hdrFromFdno(file.fileno())
        for each in rpm.files(header):
            if not each.fflags & rpm.RPMFILE_GHOST:
                yield each.name, max(0, each.size - _present_size(each.name))


def _present_size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
