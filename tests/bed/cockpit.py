# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts with Debian's Cockpit, our page in it, and people who can log in."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bed import debian, layers
from bed.layers import DIST, Layers, NotBuiltError, freeze
from bed.shell import checked

if TYPE_CHECKING:
    from bed.host import Host
    from bed.suites import Suite

PACKAGES = ("cockpit-bridge", "cockpit-system", "cockpit-ws", "sudo")
PEOPLE = ("alice", "bob", "carol")
"""alice has sudo, bob is a member of group dockmgr, carol has nothing.

Their names are their passwords.
"""
_OWN_PACKAGES = ("dockmgrd", "dockmgrctl", "dockmgrd-polkit-rules", "cockpit-dockmgr")
_TARGET = "/var/tmp/debs"
# A browser on the same host may use plain HTTP, and the host name's certificate is no matter here.
_CONF = "[WebService]\nAllowUnencrypted = true\n"


def bare(suite: Suite) -> Layers:
    """Return the layers of a host with Cockpit and without anything of ours."""

    def install(host: Host) -> None:
        with tempfile.TemporaryDirectory() as folder:
            _download(suite, Path(folder))
            shutil.copytree(Path(folder, "archives"), host.path(_TARGET))
        # All that they depend on is there: apt has seen to it, whatever dpkg's order is.
        script = f"dpkg --install --force-depends {_TARGET}/*.deb && rm -r {_TARGET}"
        host.run("sh", "-c", script, timeout=180, env={"DEBIAN_FRONTEND": "noninteractive"})
        host.write("/etc/cockpit/cockpit.conf", _CONF)
        for name in PEOPLE:
            if host.run("id", name, check=False).returncode != 0:
                host.run("useradd", name)
            host.run("usermod", "--shell", "/bin/bash", name)
            host.run("mkhomedir_helper", name)
            # Else a user's manager hangs in its stop, and the next login waits for that.
            host.run("loginctl", "enable-linger", name)
        host.run("chpasswd", input="".join(f"{name}:{name}\n" for name in PEOPLE))
        host.run("usermod", "--append", "--groups", "sudo", "alice")
        host.run("systemctl", "enable", "cockpit.socket")

    return freeze("cockpit", suite, layers.bare(suite), [*PACKAGES, _CONF, *PEOPLE], install)


def ours(suite: Suite) -> Layers:
    """Return the layers of a host with Cockpit, our packages and our page. Raises NotBuiltError."""
    rpms = [_own_package(name) for name in _OWN_PACKAGES]
    text = layers.sources_text()
    digests = [hashlib.sha256(rpm.read_bytes()).hexdigest() for rpm in rpms]

    def install(host: Host) -> None:
        host.install_rpms(rpms)
        host.write(layers.SOURCES_FILE, text)
        host.run("usermod", "--append", "--groups", "dockmgr", "bob")

    return freeze("cockpit-ours", suite, bare(suite), [*digests, text], install)


def docker(suite: Suite) -> Layers:
    """Return the layers of such a host with Docker."""

    def install(host: Host) -> None:
        host.run("dockmgrctl", "install", "--source", "official", timeout=180)

    return freeze("cockpit-docker", suite, ours(suite), [], install)


def _own_package(name: str) -> Path:
    found = list(DIST.glob(f"{name}-[0-9]*.noarch.rpm"))
    if len(found) != 1:
        raise NotBuiltError(f"one RPM of {name} is needed in {DIST}: run `make rpm`")
    return found[0]


def _download(suite: Suite, folder: Path) -> None:
    """Download the packages and what they need beyond the tree, from the suite's own archive."""
    lists, archives, sources = folder / "lists", folder / "archives", folder / "sources.list"
    (lists / "partial").mkdir(parents=True)
    (archives / "partial").mkdir(parents=True)
    sources.write_text(f"deb {debian.mirror()} {suite.name} main\n")
    options = {
        "Debug::NoLocking": "true",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State::Lists": lists,
        "Dir::State::status": debian.provide(suite) / "root" / "var" / "lib" / "dpkg" / "status",
        "Dir::Cache::archives": archives,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    arguments = [part for key in options for part in ("-o", f"{key}={options[key]}")]
    command = ["apt-get", "-qq", *arguments]
    checked([*command, "update"])
    checked([*command, "install", "--download-only", "--yes", "--no-install-recommends", *PACKAGES])
    shutil.rmtree(archives / "partial")
    (archives / "lock").unlink(missing_ok=True)
