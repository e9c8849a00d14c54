# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks of hosts after some steps, frozen as further read-only layers and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bed import coverage, identity, sites, system
from bed.cache import Recipe, shared, text_of
from bed.host import Host
from bed.shell import checked
from bed.trees import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bed.suites import Suite

DIST = Path(os.environ.get("DOCKMGRD_DIST") or Path(__file__).parents[2] / "dist")
SOURCES_FILE = "/etc/dockmgrd/sources.d/bed.yaml"
_PACKAGES = ("dockmgrd", "dockmgrctl")
# On a real host the RPMs have the bytecode of its Python, and here that of the one they were built
# with; ours never writes any, so without this each start compiles everything.
_COMPILE = ("python3", "-m", "compileall", "-q", "/usr/lib/python3/dist-packages/dockmgrd")
_KNOWN_SOURCES = ("official", "aliyun", "tuna", "ustc")
_OWN_SOURCES = {"unsigned": sites.UNSIGNED, "stranger": sites.STRANGER}
# What a boot leaves on the disk and a fresh host would not have.
_TRACES = ("var/log/journal", "var/cache/dnf", "var/cache/libdnf5", "var/tmp", "tmp")

Layers = tuple[Path, ...]


_REWRITE = Path(__file__).parents[2] / "packaging/rpm/py36/rewrite.py"
_WORKER = "/usr/libexec/dockmgrd/worker"
_TEXT = text_of(__file__)
_REWRITING_TEXTS = tuple(text_of(str(path)) for path in sorted(_REWRITE.parent.glob("*.py")))


class NotBuiltError(Exception):
    """The project's own packages have not been built."""


def freeze(
    name: str,
    suite: Suite,
    base: Layers,
    inputs: Sequence[str],
    steps: Callable[[Host], None],
) -> Layers:
    """Return `base` with one more layer: what `steps` change on a host that was made of it.

    `inputs` are texts that determine, together with the base, what the steps do. The content of
    /var/lib/docker and /var/lib/containerd is not kept.
    """

    def build(directory: Path) -> None:
        with Host(suite, base) as host:
            steps(host)
            host.poweroff()
            host.take_disk(directory / "upper")
        _remove_traces(directory / "upper")

    recipe = Recipe(f"{name}-{suite.name}", (*(layer.parent.name for layer in base), *inputs))
    return (shared().provide(recipe, build) / "upper", *base)


def bare(suite: Suite) -> Layers:
    """Return the layers of a host without anything of ours."""
    return system.provide(suite)


def ours(suite: Suite) -> Layers:
    """Return the layers of a host with our packages, and our key in a file of sources.

    Its bytecode is in no package where the host's Python is not the one that built them, so what a
    removal leaves is to be seen on a host that was bare. Raises NotBuiltError.
    """
    rpms = own_packages()
    text = sources_text()
    digests = [hashlib.sha256(rpm.read_bytes()).hexdigest() for rpm in rpms]

    def install(host: Host) -> None:
        host.install_rpms(rpms)
        host.write(SOURCES_FILE, text)
        host.run(*_COMPILE)
        coverage.install(host)

    inputs = [*digests, text, *_COMPILE, *(["coverage"] if coverage.FOLDER else [])]
    return freeze("ours", suite, bare(suite), inputs, install)


def docker(suite: Suite) -> Layers:
    """Return the layers of a host on which our packages have installed Docker."""

    def install(host: Host) -> None:
        host.run("dockmgrctl", "install", "--source", "official")

    return freeze("docker", suite, ours(suite), [], install)


def split(suite: Suite, python: Path) -> Layers:
    """Return the layers of a host on which the daemon has a Python without bindings, as on EL 8.

    The host's own Python runs the package worker, whose modules are rewritten for Python 3.6.

    :param python: the folder of a Python 3.12 on this machine; it is copied into the host.
    """
    texts = (
        str(python),
        _TEXT,
        *_REWRITING_TEXTS,
    )
    return freeze("split", suite, ours(suite), texts, lambda host: _split(host, python))


def _split(host: Host, python: Path) -> None:
    library, modules = host.path("/usr/local/lib"), Path("/usr/lib/python3/dist-packages")
    without = shutil.ignore_patterns("test", "__pycache__", "site-packages", "config-*", "idlelib")
    shutil.copytree(python / "lib/python3.12", library / "python3.12", ignore=without)
    shutil.copy(python / "lib/libpython3.12.so.1.0", library)
    shutil.copy(python / "bin/python3.12", host.path("/usr/local/bin"))
    packages = "/usr/local/lib/python3.12/site-packages"
    script = f"""
ldconfig
mkdir {packages}
cp --recursive {modules}/dockmgrd {modules}/yaml {packages}
rm --recursive {modules}/dockmgrd/worker
find {packages} -name __pycache__ -prune -exec rm --recursive {{}} +
sed -i 's,/usr/bin/python3 ,/usr/local/bin/python3.12 ,' \\
    /usr/bin/dockmgrctl /usr/lib/systemd/system/dockmgrd*.service
"""
    host.run("sh", "-euc", script)
    package, worker = host.path(f"{packages}/dockmgrd"), host.path(_WORKER)
    checked([sys.executable, "-B", _REWRITE, package, worker, "/usr/bin/python3", _WORKER])
    host.run("/usr/local/bin/python3.12", "-m", "compileall", "-q", "/usr/local/lib/python3.12")
    host.run("python3", "-m", "compileall", "-q", _WORKER)


def own_packages() -> list[Path]:
    """Return the RPM files of the daemon and the command line. Raises NotBuiltError."""
    found = [
        rpm for rpm in sorted(DIST.glob("*.noarch.rpm")) if rpm.name.rsplit("-", 2)[0] in _PACKAGES
    ]
    if len(found) != len(_PACKAGES):
        wanted = " and ".join(_PACKAGES)
        raise NotBuiltError(
            f"one RPM each of {wanted} is needed in {DIST}, {len(found)} found: run `make rpm`"
        )
    return found


def sources_text() -> str:
    """Return the file that tells dockmgrd which key signs the packages of the bed."""
    fingerprint = identity.provide().fingerprint()
    key = f"{{file: {system.KEY_FILE}, fingerprint: {fingerprint}}}"
    lines = ["sources:"]
    for source in _KNOWN_SOURCES:
        lines.append(f"  {source}: {{key: {key}}}")
    for source, host in _OWN_SOURCES.items():
        lines.append(f"  {source}: {{title: {host}, prefix: https://{host}, key: {key}}}")
    return "\n".join(lines) + "\n"


def _remove_traces(upper: Path) -> None:
    for trace in _TRACES:
        directory = upper / trace
        for path in directory.iterdir() if directory.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                path.unlink()
