# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of Debian's own on a host, for tests that need one which is no RPM here.

The outer machine's apt downloads them, from the suite of the host.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bed import debian
from bed.layers import Layers, freeze
from bed.shell import checked

if TYPE_CHECKING:
    from bed.host import Host
    from bed.suites import Suite

_TARGET = "/var/tmp/debs"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def with_packages(suite: Suite, base: Layers, *packages: str) -> Layers:
    """Return `base` with one more layer: these Debian packages, and what they depend on."""

    def install(host: Host) -> None:
        with tempfile.TemporaryDirectory() as folder:
            _download(suite, packages, Path(folder))
            shutil.copytree(folder, host.path(_TARGET), ignore=lambda *_: ["partial"])
        # All that they depend on is there: apt has seen to it, whatever dpkg's order is.
        host.run("sh", "-c", f"dpkg --install --force-depends {_TARGET}/*.deb")

    return freeze("-".join(("debs", *packages)), suite, base, packages, install)


def _download(suite: Suite, packages: tuple[str, ...], folder: Path) -> None:
    (folder / "partial").mkdir()
    status = debian.provide(suite) / "root" / "var" / "lib" / "dpkg" / "status"
    with tempfile.TemporaryDirectory() as state:
        sources = Path(state) / "sources.list"
        sources.write_text(f"deb [signed-by={_KEYRING}] {debian.mirror()} {suite.name} main\n")
        options = {
            "Debug::NoLocking": "true",
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": state,
            "Dir::State::status": status,
            "Dir::Cache": state,
            "Dir::Cache::archives": folder,
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",
        }
        arguments = [word for key in options for word in ("-o", f"{key}={options[key]}")]
        checked(["apt-get", "update", "-qq", *arguments])
        install = ["install", "--download-only", "--yes", "--no-install-recommends", "-qq"]
        checked(["apt-get", *install, *arguments, *packages])
