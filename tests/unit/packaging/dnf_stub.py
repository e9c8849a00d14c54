# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dnf of a build host: `install` is logged, and `builddep` fills the rpm database of $HOME.

What builddep installs are empty packages that provide what the real ones provide. So rpmbuild finds
there what README's commands have brought, and nothing else.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_PROVIDES: Mapping[str, Sequence[str]] = {
    "python3-packaging": ("python3dist(packaging) = 23.0",),
    "python3-pip": ("python3dist(pip) = 21.2.3",),
    "python3-setuptools": ("python3dist(setuptools) = 53.0",),
    "python3-wheel": ("python3dist(wheel) = 0.36.2",),
}
_VERSIONS = {"python3-devel": "3.11", "python3-dbus-next": "0.2.3"}
_NAME = re.compile(r"\(?([\w.-]+)")


def install_build_requires(spec: Path) -> None:
    """Do what `dnf builddep SPEC` does, as far as rpm's dependency check can see."""
    query = ("rpmspec", "--query", "--buildrequires", spec)
    wanted = subprocess.run(query, check=True, stdout=subprocess.PIPE, text=True).stdout
    install([package_of(line) for line in wanted.splitlines() if " if " not in line])


def package_of(requirement: str) -> str:
    """The package that meets the requirement, which has the requirement's name."""
    match = _NAME.match(requirement)
    assert match, requirement
    return match[1]


def install(packages: Sequence[str]) -> None:
    """Make an empty package of each name, and put it into the rpm database."""
    folder = Path.home() / "packages"
    folder.mkdir(exist_ok=True)
    spec = folder / "packages.spec"
    spec.write_text("\n".join(_spec(packages)))
    define = ("--define", f"_topdir {folder}", "--define", "_binary_payload w1.gzdio")
    run = ("rpmbuild", "-bb", "--quiet", "--nodeps", "--noprep", *define, spec)
    subprocess.run(run, check=True, stdin=subprocess.DEVNULL)
    rpms = sorted((folder / "RPMS").rglob("*.rpm"))
    subprocess.run(("rpm", "--install", "--justdb", "--nodeps", *rpms), check=True)


def _spec(packages: Sequence[str]) -> list[str]:
    lines = ["Name: packages", "Version: 1", "Release: 1", "Summary: S", "License: L"]
    lines += ["BuildArch: noarch", "%description"]
    for name in packages:
        lines += [f"%package -n {name}", f"Version: {_VERSIONS.get(name, '1')}", "Summary: S"]
        lines += ["AutoReqProv: no", *[f"Provides: {each}" for each in _PROVIDES.get(name, ())]]
        lines += [f"%description -n {name}", f"%files -n {name}"]
    return [*lines, "%install", ""]


def main(command: str, *arguments: str) -> None:
    with (Path.home() / "dnf.log").open("a") as log:
        log.write(" ".join((command, *arguments)) + "\n")
    if command == "builddep":
        install_build_requires(Path(arguments[-1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
