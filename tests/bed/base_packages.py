# SPDX-License-Identifier: LGPL-2.1-or-later
"""Empty packages with the relations of those that an RPM distribution has beside Docker.

What the host runs comes from Debian; these make dnf's solver see what it would see on a real one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bed.cache import text_of
from bed.rpmbuild import Package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bed.suites import Suite

TEXT = text_of(__file__)
"""For the recipe of what is made with this module."""

# What the triggers of the real systemd and dbus packages do when files of a package appear.
_WATCHED = (
    "/usr/lib/systemd/system",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib/systemd/catalog",
    "/usr/share/dbus-1",
)
_ON_CHANGE = """\
[ -d /run/systemd/system ] || exit 0
systemd-sysusers || :
systemd-tmpfiles --create || :
/usr/lib/systemd/systemd-update-helper system-reload-restart || :
journalctl --update-catalog || :
busctl --quiet call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig || :
"""


def installed(suite: Suite) -> list[Package]:
    """Describe the packages that are on every host from the beginning."""
    return [*_system(suite), *_python(suite), *_package_manager(suite)]


def available(suite: Suite) -> list[Package]:
    """Describe the packages that the distribution's repository offers beside the installed."""
    return [*_for_docker(suite), *_podman(suite), *_distribution_docker(suite), *_others(suite)]


def _package(
    suite: Suite,
    name: str,
    version: str = "1.0",
    *,
    provides: Sequence[str] = (),
    requires: Sequence[str] = (),
    recommends: Sequence[str] = (),
    conflicts: Sequence[str] = (),
) -> Package:
    epoch, _, number = version.rpartition(":")
    return Package(
        name,
        number,
        f"1.{suite.dist}",
        epoch=int(epoch or 0),
        provides=provides,
        requires=requires,
        recommends=recommends,
        conflicts=conflicts,
    )


def _system(suite: Suite) -> list[Package]:
    systemd = suite.systemd_version
    systemd_triggers = {
        f"{kind} -- {' '.join(_WATCHED)}": _ON_CHANGE
        for kind in ("transfiletriggerin", "transfiletriggerpostun")
    }
    return [
        Package("systemd", systemd, f"1.{suite.dist}", scripts=systemd_triggers),
        _package(suite, "systemd-libs", systemd),
        _package(suite, "systemd-udev", systemd),
        _package(
            suite,
            f"{suite.os_release['ID']}-release",
            suite.releasever,
            provides=(
                f"system-release = {suite.releasever}",
                f"system-release({suite.releasever})",
                "redhat-release",
            ),
        ),
        _package(
            suite,
            "setup",
            provides=("user(root)", "group(root)", "user(nobody)", "group(nobody)"),
        ),
        _package(suite, "filesystem", provides=("filesystem(unmerged-sbin-symlinks)",)),
        _package(suite, "bash", "5.1.8", provides=("/bin/sh", "/bin/bash", "/usr/bin/sh")),
        _package(suite, "coreutils", provides=("/usr/bin/env", "/bin/true")),
        _package(
            suite,
            "shadow-utils",
            "2:4.9",
            provides=("/usr/sbin/groupadd", "/usr/sbin/useradd", "/usr/sbin/usermod"),
        ),
        _package(suite, "util-linux", provides=("/usr/bin/mount",)),
        _package(suite, "glibc-common", provides=("/usr/bin/getent",)),
        _package(suite, "dbus", provides=("dbus-daemon",)),
        _package(suite, "dbus-broker"),
        _package(suite, "dbus-common"),
        _package(suite, "polkit", "0.117"),
        _package(suite, "kmod", provides=("/usr/sbin/modprobe",)),
        _package(suite, "iptables-libs"),
        _package(suite, "iptables-nft", "1.8.8", provides=("iptables",)),
        _package(suite, "nftables", "1:1.0.4"),
        _package(suite, "libseccomp", "2.5.2"),
        _package(suite, "tar", "2:1.34"),
        _package(suite, "xz", "5.2.5"),
        _package(suite, "ca-certificates"),
        _package(suite, "selinux-policy", "38.1"),
        _package(suite, "policycoreutils"),
    ]


def _python(suite: Suite) -> list[Package]:
    version = suite.python_version
    return [
        _package(
            suite,
            "python3",
            version,
            provides=(f"python(abi) = {version}", "/usr/bin/python3"),
            requires=("python3-libs",),
        ),
        _package(suite, "python3-libs", version),
        _package(
            suite,
            "python3-systemd",
            "234",
            provides=(
                "python3dist(systemd-python) = 234",
                f"python{version}dist(systemd-python) = 234",
            ),
        ),
        _package(
            suite,
            "python3-pyyaml",
            "6.0.1",
            provides=(
                "python3dist(pyyaml) = 6.0.1",
                f"python{version}dist(pyyaml) = 6.0.1",
                "python3-yaml = 6.0.1",
            ),
        ),
    ]


def _package_manager(suite: Suite) -> list[Package]:
    rpm = _package(suite, "rpm", suite.rpm_version)
    dnf = suite.dnf4_version
    if suite.dnf5:
        return [
            rpm,
            _package(
                suite,
                "dnf5",
                "5.4.0",
                provides=("dnf = 5.4.0", "yum = 5.4.0", "/usr/bin/dnf"),
                requires=("libdnf5",),
            ),
            _package(suite, "libdnf5", "5.4.0"),
            _package(suite, "python3-libdnf5", "5.4.0", requires=("libdnf5",)),
        ]
    return [
        rpm,
        _package(suite, "python3-rpm", suite.rpm_version),
        _package(suite, "dnf", dnf, provides=("/usr/bin/dnf",), requires=("python3-dnf",)),
        _package(suite, "dnf-data", dnf),
        _package(suite, "python3-dnf", dnf, requires=("dnf-data",)),
        _package(suite, "yum", dnf, requires=("dnf",)),
    ]


def _for_docker(suite: Suite) -> list[Package]:
    return [
        _package(suite, "container-selinux", "4:2.235.0", requires=("selinux-policy >= 38",)),
        _package(suite, "libcgroup", "3.0"),
        _package(suite, "bash-completion", "1:2.11"),
        _package(suite, "fuse-overlayfs"),
        _package(suite, "slirp4netns"),
        _package(suite, "kernel-modules-extra", "6.12.0"),
    ]


def _podman(suite: Suite) -> list[Package]:
    return [
        _package(
            suite,
            "podman",
            "4:5.4.0",
            requires=("container-selinux", "containers-common", "conmon", "(crun or runc)"),
        ),
        _package(
            suite,
            "podman-docker",
            "4:5.4.0",
            requires=("podman = 4:5.4.0",),
            conflicts=("docker", "docker-latest", "docker-ce", "docker-ee", "moby-engine"),
        ),
        _package(suite, "podman-manpages", "4:5.4.0"),
        _package(suite, "buildah", "2:1.39.0", requires=("containers-common", "runc")),
        _package(suite, "skopeo", "2:1.18.0", requires=("containers-common",)),
        _package(suite, "toolbox", "0.1", requires=("podman",)),
        _package(suite, "cockpit-podman", "100", requires=("cockpit-bridge", "podman")),
        _package(suite, "containers-common", "4:1.0"),
        _package(suite, "conmon", "3:2.1.12"),
        _package(suite, "crun", "1.20"),
        _package(suite, "runc", "4:1.2.4", requires=("container-selinux",)),
    ]


def _distribution_docker(suite: Suite) -> list[Package]:
    """Docker as old EL and as Fedora itself package it."""
    return [
        _package(suite, "docker", "2:1.13.1", requires=("docker-client", "docker-common")),
        _package(suite, "docker-client", "2:1.13.1", requires=("docker-common",)),
        _package(suite, "docker-common", "2:1.13.1"),
        _package(
            suite,
            "docker-latest",
            "1.13.1",
            requires=("docker-client-latest", "docker-common"),
        ),
        _package(suite, "docker-client-latest", "1.13.1"),
        _package(suite, "docker-logrotate", "2:1.13.1", requires=("docker-common",)),
        _package(suite, "docker-selinux", "2:1.13.1"),
        _package(
            suite,
            "moby-engine",
            "28.3.3",
            provides=("docker = 28.3.3",),
            requires=("containerd", "runc", "container-selinux", "iptables"),
            recommends=("docker-cli",),
            conflicts=("docker-ce", "podman-docker"),
        ),
        _package(suite, "docker-cli", "28.3.3", conflicts=("docker-ce-cli",)),
        _package(suite, "containerd", "2.0.5", requires=("runc",)),
        _package(suite, "rootlesskit", "2.3.4"),
    ]


def _others(suite: Suite) -> list[Package]:
    return [
        _package(suite, "cockpit-bridge", "344"),
        _package(suite, "cockpit-ws", "344", requires=("cockpit-bridge",)),
        _package(suite, "rpm-plugin-systemd-inhibit", suite.rpm_version),
        *([_package(suite, "python3-rpm", suite.rpm_version)] if suite.dnf5 else []),
        _package(suite, "firewalld", "1.3.4"),
    ]
