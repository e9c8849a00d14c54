# SPDX-License-Identifier: LGPL-2.1-or-later
"""Minimal Debian root trees, and Debian's own Docker binaries for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bed.cache import Recipe, shared, text_of
from bed.shell import checked
from bed.steps import Steps

if TYPE_CHECKING:
    from bed.suites import Suite

_TEXT = text_of(__file__)
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
    "polkitd",
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
_UNWANTED = ("doc", "info", "locale", "man")
_DOWNLOAD_DOCKER = (
    'mkdir "$1.debs" && cd "$1.debs" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download'
)


class NoMirrorError(Exception):
    """This machine's apt knows no Debian archive."""


def provide(suite: Suite) -> Path:
    """Return a directory with `root`, the tree, and `docker`, the unpacked Docker packages."""
    options = _mmdebstrap_options(suite)
    return shared().provide(
        Recipe(f"debian-{suite.name}", (suite.name, *options, _TEXT)),
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
        "--include=" + ",".join((*PACKAGES, *suite.debian_dnf)),
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Sandbox::User "root"',
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNWANTED),
        f"--customize-hook={_DOWNLOAD_DOCKER} {' '.join(suite.docker_debs)}",
    ]


def _build(suite: Suite, options: list[str], directory: Path) -> None:
    root = directory / "root"
    steps = Steps(f"debian-{suite.name}")
    # It mounts /proc and /sys of this machine in the tree, and leaves them there when it is killed.
    checked(
        ["mmdebstrap", *options, suite.name, root, mirror()], private=True, on_line=steps.read_line
    )
    for package in (directory / "root.debs").iterdir():
        checked(["dpkg-deb", "--extract", package, directory / "docker"])
