# SPDX-License-Identifier: LGPL-2.1-or-later
"""Docker's RPM packages, made of Debian's Docker binaries, with upstream's relations."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bed.cache import text_of
from bed.rpmbuild import Package

if TYPE_CHECKING:
    from bed.suites import Suite

TEXT = text_of(__file__)
"""For the recipe of what is made with this module."""

UNITS = Path(__file__).parent / "inside" / "docker-units"
BUILDX_VERSION = "0.17.1"
COMPOSE_VERSION = "2.29.7"

_LEGACY = ("docker", "docker-io", "docker-ee")
_CREATE_GROUP = "getent group docker >/dev/null || groupadd --system docker"
_UPDATE_HELPER = "/usr/lib/systemd/systemd-update-helper"
_PROGRAMS = {
    "/usr/bin/containerd": "containerd",
    "/usr/bin/containerd-shim-runc-v2": "containerd-shim-runc-v2",
    "/usr/bin/ctr": "ctr",
    "/usr/bin/docker": "docker",
    "/usr/bin/docker-proxy": "docker-proxy",
    "/usr/bin/dockerd": "dockerd",
    "/usr/bin/runc": "runc",
    "/usr/libexec/docker/docker-init": "tini",
}
_PLUGINS = {"buildx": BUILDX_VERSION, "compose": COMPOSE_VERSION}
_PLUGIN = """#!/bin/sh
case $1 in
docker-cli-plugin-metadata)
    echo '{{"SchemaVersion": "0.1.0", "Vendor": "Docker Inc.", "Version": "v{version}"}}' ;;
*)
    echo "{name} version v{version}" ;;
esac
"""
_ROOTLESS = ("dockerd-rootless-setuptool.sh", "dockerd-rootless.sh", "rootlesskit")
_COMPLETIONS = (
    "/usr/share/bash-completion/completions/docker",
    "/usr/share/fish/vendor_completions.d/docker.fish",
    "/usr/share/zsh/vendor-completions/_docker",
)
CONTAINERD_CONFIG = 'disabled_plugins = ["cri"]\n'


@dataclass(frozen=True)
class Generation:
    """One release of Docker: the versions that were published together."""

    engine: str
    containerd: str


def generations(debs: Path) -> tuple[Generation, Generation, Generation]:
    """Return a past, the current and a coming release.

    The current one has the true versions of Debian's binaries; the others have the same binaries.
    """
    engine, containerd = (_upstream_version(debs, name) for name in ("docker.io", "containerd"))
    return (
        Generation(_shifted(engine, -1), _shifted(containerd, -1)),
        Generation(engine, containerd),
        Generation(_shifted(engine, 1) + "~rc.1", _shifted(containerd, 1)),
    )


def lay_out(binaries: Path, content: Path) -> None:
    """Arrange Debian's binaries and what Debian lacks as Docker's RPM packages install them."""
    for path, name in _PROGRAMS.items():
        found = [usr / name for usr in (binaries / "usr/bin", binaries / "usr/sbin")]
        _copy(next(filter(Path.exists, found)), content, path)
    for unit in UNITS.iterdir():
        _copy(unit, content, f"/usr/lib/systemd/system/{unit.name}")
    for name, version in _PLUGINS.items():
        text = _PLUGIN.format(name=name, version=version)
        _write(content, f"/usr/libexec/docker/cli-plugins/docker-{name}", text, 0o755)
    for name in _ROOTLESS:
        _write(content, f"/usr/bin/{name}", "#!/bin/sh\nexit 0\n", 0o755)
    for path in _COMPLETIONS:
        _write(content, path, "# completion of docker\n", 0o644)
    _write(content, "/etc/containerd/config.toml", CONTAINERD_CONFIG, 0o644)


def packages(suite: Suite, generation: Generation) -> list[Package]:
    """Describe the packages of one release."""
    release = f"1.{suite.dist}"
    engine = generation.engine
    return [
        _engine(suite, engine, release),
        Package(
            "docker-ce-cli",
            engine,
            release,
            epoch=1,
            requires=("/bin/sh", "/usr/sbin/groupadd"),
            recommends=("docker-buildx-plugin", "docker-compose-plugin"),
            conflicts=(*_LEGACY, "docker-ee-cli"),
            files=("/usr/bin/docker", *_COMPLETIONS),
            scripts={"post": _CREATE_GROUP},
        ),
        _containerd(generation.containerd, release),
        Package(
            "docker-ce-rootless-extras",
            engine,
            release,
            requires=("docker-ce",),
            conflicts=("rootlesskit",),
            files=tuple(f"/usr/bin/{name}" for name in _ROOTLESS),
        ),
        Package(
            "docker-buildx-plugin",
            BUILDX_VERSION,
            release,
            files=("/usr/libexec/docker/cli-plugins/docker-buildx",),
        ),
        Package(
            "docker-compose-plugin",
            COMPOSE_VERSION,
            release,
            enhances=("docker-ce-cli",),
            recommends=("docker-buildx-plugin >= 0.17.0",),
            files=("/usr/libexec/docker/cli-plugins/docker-compose",),
        ),
    ]


def _engine(suite: Suite, version: str, release: str) -> Package:
    units = ("docker.service", "docker.socket")
    scripts = _unit_scripts(units)
    return Package(
        "docker-ce",
        version,
        release,
        epoch=3,
        requires=(
            "/usr/sbin/groupadd",
            "docker-ce-cli",
            "container-selinux >= 2:2.74",
            "systemd",
            "(iptables-nft or iptables)",
            "nftables",
            f"containerd.io >= {suite.containerd_floor}",
            "tar",
            "xz",
            *(("libcgroup",) if suite.dist.startswith("fc") else ()),
        ),
        recommends=("docker-ce-rootless-extras",),
        conflicts=_LEGACY,
        files=(
            "/usr/bin/dockerd",
            "/usr/bin/docker-proxy",
            "/usr/libexec/docker/docker-init",
            *(f"/usr/lib/systemd/system/{unit}" for unit in units),
        ),
        scripts={**scripts, "post": f"{scripts['post']}\n{_CREATE_GROUP}"},
    )


def _containerd(version: str, release: str) -> Package:
    unit = "containerd.service"
    return Package(
        "containerd.io",
        version,
        release,
        provides=("containerd",),
        requires=("container-selinux >= 2:2.74", "libseccomp"),
        conflicts=("containerd", "runc"),
        obsoletes=("containerd", "runc"),
        files=(
            "/usr/bin/containerd",
            "/usr/bin/containerd-shim-runc-v2",
            "/usr/bin/ctr",
            "/usr/bin/runc",
            "%config(noreplace) /etc/containerd/config.toml",
            f"/usr/lib/systemd/system/{unit}",
        ),
        scripts=_unit_scripts((unit,)),
    )


def _unit_scripts(units: tuple[str, ...]) -> dict[str, str]:
    """Return what %systemd_post, %systemd_preun and %systemd_postun_with_restart expand to."""
    names = " ".join(units)
    return {
        "post": f"[ $1 -gt 1 ] || {_UPDATE_HELPER} install-system-units {names} || :",
        "preun": f"[ $1 -gt 0 ] || {_UPDATE_HELPER} remove-system-units {names} || :",
        "postun": f"[ $1 -lt 1 ] || {_UPDATE_HELPER} mark-restart-system-units {names} || :",
    }


def _upstream_version(debs: Path, package: str) -> str:
    (deb,) = debs.glob(f"{package}_*.deb")
    match = re.match(r"[\d.]+", deb.name.split("_")[1])
    if match is None:
        raise ValueError(f"no version in the name of {deb}")
    return match.group()


def _shifted(version: str, step: int) -> str:
    *head, patch = version.split(".")
    return ".".join([*head, str(int(patch) + step)])


def _copy(source: Path, content: Path, path: str) -> None:
    target = content / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _write(content: Path, path: str, text: str, mode: int) -> None:
    target = content / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    target.chmod(mode)
