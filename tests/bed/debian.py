# SPDX-License-Identifier: LGPL-2.1-or-later
"""Minimal Debian root trees, and Debian's own Docker binaries for each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bed.cache import Recipe, shared
from bed.shell import CommandError, checked
from bed.steps import Steps

if TYPE_CHECKING:
    from bed.suites import Suite

_LAYOUT = "1"
"""What `provide` makes of a tree; to be raised with any change that is in no option of mmdebstrap.

The text of this module is in no recipe: each edit of it would throw away the tree of a suite that
may have vanished from the archive.
"""
PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "dbus",
    "docker-registry",
    "iptables",
    "kmod",
    "libdevmapper1.02.1",
    "libpam-systemd",
    "libseccomp2",
    "nftables",
    "passwd",
    "procps",
    "python3",
    "python3-rpm",
    "python3-systemd",
    "python3-yaml",
    "rpm",
    "systemd",
    "systemd-sysv",
    "util-linux",
)
_FETCH_ERROR = re.compile(
    r"^E: ((?:Failed to fetch|Unable to fetch|The repository .* Release file).*)", re.M
)
_UNWANTED = ("doc", "info", "locale", "man")
_MERGE_USR = (
    'for name in bin lib lib64 sbin; do mkdir -p "$1/usr/$name"; ln -s usr/$name "$1/$name"; done'
)
_DOWNLOAD_DOCKER = (
    'mkdir "$1.debs" && cd "$1.debs" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download'
)


class VanishedError(Exception):
    """The archive does not have a suite that is too old. The message names both."""


class NoMirrorError(Exception):
    """This machine's apt knows no Debian archive."""


def provide(suite: Suite) -> Path:
    """Return a directory with `root`, the tree, and `docker`, the unpacked Docker packages.

    Raises VanishedError when a suite that may vanish is not in the cache and cannot be downloaded.
    """
    options = _mmdebstrap_options(suite)
    return shared().provide(
        Recipe(f"debian-{suite.name}", (suite.name, *options, _LAYOUT)),
        lambda directory: _build(suite, options, directory),
    )


def mirror() -> str:
    """Return the address of the Debian archive that this machine itself uses.

    Raises NoMirrorError.
    """
    listing = checked(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)"]
    )
    for line in listing.splitlines():
        *archive, address = line.split()
        if archive == ["Debian", "Debian", "main"]:
            return address
    raise NoMirrorError("apt knows no Debian archive on this machine; is `apt-get update` due?")


def _mmdebstrap_options(suite: Suite) -> list[str]:
    return [
        "--variant=minbase",
        "--include=" + ",".join((*PACKAGES, suite.polkit_package, *suite.debian_dnf)),
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Sandbox::User "root"',
        "--dpkgopt=force-unsafe-io",
        *(() if suite.merges_usr else (f"--setup-hook={_MERGE_USR}",)),
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNWANTED),
        f"--customize-hook={_DOWNLOAD_DOCKER} {' '.join(suite.docker_debs)}",
    ]


def _build(suite: Suite, options: list[str], directory: Path) -> None:
    root = directory / "root"
    steps = Steps(f"debian-{suite.name}")
    command = ["mmdebstrap", *options, suite.name, str(root), mirror()]
    try:
        # It mounts /proc and /sys in the tree, and leaves them there when it is killed.
        checked(command, private=True, on_line=steps.read_line)
    except CommandError as error:
        reason = _FETCH_ERROR.search(str(error))
        if suite.may_vanish and reason is not None:
            raise VanishedError(
                f"{suite.name} cannot be downloaded any more: {reason[1]}"
            ) from error
        raise
    for package in (directory / "root.debs").iterdir():
        checked(["dpkg-deb", "--extract", package, directory / "docker"])
