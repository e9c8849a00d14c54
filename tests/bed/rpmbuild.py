# SPDX-License-Identifier: LGPL-2.1-or-later
"""RPM packages from descriptions: one rpmbuild run makes many, one rpmsign run signs them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bed.cache import text_of
from bed.shell import checked
from bed.suites import ARCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bed.identity import Identity

TEXT = text_of(__file__)
"""For the recipe of what is made with this module."""

_RELATIONS = ("provides", "requires", "conflicts", "obsoletes", "recommends", "enhances")

_MACROS = {
    "_build_id_links": "none",
    "debug_package": "%{nil}",
    "__os_install_post": "%{nil}",
    # The same name layout in every version of rpm, and the fastest compression that saves space.
    "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    "_binary_payload": "w1.zstdio",
}

# Debian's rpm knows gpg by a path that does not exist; rpmsign runs this instead.
_SIGN_COMMAND = (
    "%{__gpg} gpg --batch --no-verbose --no-armor --no-secmem-warning"
    " --digest-algo sha256 -u '%{_gpg_name}' -sbo %{__signature_filename} %{__plaintext_filename}"
)


@dataclass(frozen=True)
class Package:
    """One binary package. It is noarch when it has no files."""

    name: str
    version: str
    release: str
    epoch: int = 0
    provides: Sequence[str] = ()
    requires: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    obsoletes: Sequence[str] = ()
    recommends: Sequence[str] = ()
    enhances: Sequence[str] = ()
    files: Sequence[str] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Shell commands by the name of the scriptlet: `post`, `preun`, `postun`, or a whole line
    of a trigger such as `transfiletriggerin -- /usr/lib/sysusers.d`."""


def file_name(package: Package) -> str:
    """Return the name under which the package is built."""
    arch = ARCH if package.files else "noarch"
    return f"{package.name}-{package.version}-{package.release}.{arch}.rpm"


def hollow(package: Package) -> Package:
    """Return the package with its name and relations but without content."""
    return replace(package, files=(), scripts={})


def build(packages: Sequence[Package], destination: Path, content: Path | None = None) -> None:
    """Build the packages into the directory, unsigned.

    The packages' files are taken from below `content`. Raises CommandError.
    """
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rpmbuild-", dir=destination.parent) as name:
        topdir = Path(name)
        spec = topdir / "packages.spec"
        spec.write_text(_spec(packages, content))
        macros = {**_MACROS, "_topdir": str(topdir), "_rpmdir": str(destination)}
        checked(["rpmbuild", *_defines(macros), "-bb", spec], cwd=topdir)


def sign(packages: Sequence[Path], identity: Identity, key: str) -> None:
    """Sign the package files in place with one of the bed's keys. Raises CommandError."""
    with identity.keyring(key) as home:
        macros = {
            "__gpg": "/usr/bin/gpg",
            "_gpg_path": str(home),
            "_gpg_name": identity.fingerprint(key),
            "__gpg_sign_cmd": _SIGN_COMMAND,
        }
        checked(["rpmsign", *_defines(macros), "--addsign", *packages])


def _defines(macros: Mapping[str, str]) -> list[str]:
    return [part for name, body in macros.items() for part in ("--define", f"{name} {body}")]


def _spec(packages: Sequence[Package], content: Path | None) -> str:
    lines = [
        "Name: packages",
        "Version: 1",
        "Release: 1",
        "Summary: Source of the packages below",
        "License: LGPL-2.1-or-later",
        "%description",
        "%{summary}.",
    ]
    for package in packages:
        lines += _preamble(package)
    lines += ["%install", "mkdir -p %{buildroot}"]
    if content is not None:
        lines.append(f"cp --archive --link {content}/. %{{buildroot}}/")
    for package in packages:
        lines += _sections(package)
    return "\n".join(lines) + "\n"


def _preamble(package: Package) -> list[str]:
    lines = [
        f"%package -n {package.name}",
        f"Version: {package.version}",
        f"Release: {package.release}",
        f"Summary: Stand-in for {package.name}",
        "AutoReqProv: no",  # the relations are all written down
    ]
    if package.epoch:
        lines.append(f"Epoch: {package.epoch}")
    if not package.files:
        lines.append("BuildArch: noarch")
    for relation in _RELATIONS:
        for capability in getattr(package, relation):
            lines.append(f"{relation.capitalize()}: {capability}")
    return [*lines, f"%description -n {package.name}", "%{summary}."]


def _sections(package: Package) -> list[str]:
    lines = []
    for scriptlet, commands in package.scripts.items():
        section, *options = scriptlet.split(maxsplit=1)
        lines += [" ".join([f"%{section} -n {package.name}", *options]), commands]
    return [*lines, f"%files -n {package.name}", "%defattr(-,root,root)", *package.files]
