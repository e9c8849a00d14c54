# SPDX-License-Identifier: LGPL-2.1-or-later
"""The three Debian suites, and the RPM distribution that each stands for.

A suite was chosen because its systemd, dnf, Python and Docker are near to what that distribution
ships. Everything that differs from suite to suite is data in this module.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

ARCH = platform.machine()

OsRelease = Mapping[str, str]

CENTOS_STREAM_9: OsRelease = {
    "NAME": "CentOS Stream",
    "VERSION": "9",
    "ID": "centos",
    "ID_LIKE": "rhel fedora",
    "VERSION_ID": "9",
    "PLATFORM_ID": "platform:el9",
    "PRETTY_NAME": "CentOS Stream 9",
    "CPE_NAME": "cpe:/o:centos:centos:9",
}
ALMALINUX_10: OsRelease = {
    "NAME": "AlmaLinux",
    "VERSION": "10.0 (Purple Lion)",
    "ID": "almalinux",
    "ID_LIKE": "rhel centos fedora",
    "VERSION_ID": "10.0",
    "PLATFORM_ID": "platform:el10",
    "PRETTY_NAME": "AlmaLinux 10.0 (Purple Lion)",
    "CPE_NAME": "cpe:/o:almalinux:almalinux:10::baseos",
}
FEDORA_43: OsRelease = {
    "NAME": "Fedora Linux",
    "VERSION": "43 (Server Edition)",
    "ID": "fedora",
    "VERSION_ID": "43",
    "PLATFORM_ID": "platform:f43",
    "PRETTY_NAME": "Fedora Linux 43 (Server Edition)",
    "CPE_NAME": "cpe:/o:fedoraproject:fedora:43",
}

OPENEULER_22_03: OsRelease = {
    "NAME": "openEuler",
    "VERSION": "22.03 (LTS-SP4)",
    "ID": "openEuler",
    "VERSION_ID": "22.03",
    "PRETTY_NAME": "openEuler 22.03 (LTS-SP4)",
    "ANSI_COLOR": "0;31",
}


@dataclass(frozen=True)
class Suite:
    """A Debian suite and the RPM distribution that it stands for."""

    name: str
    os_release: OsRelease
    dist: str
    """The suffix of an RPM's release: `el9`, `el10`, `fc43`."""
    releasever: str
    systemd_version: str
    python_version: str
    dnf5: bool
    debian_dnf: tuple[str, ...]
    """Where dbus-broker is among them, it is the message bus, as on every RPM distribution of
    today; elsewhere it is dbus-daemon, as on older ones.
    """
    docker_debs: tuple[str, ...]
    containerd_floor: str
    """The containerd.io version that a docker-ce of this age asks for at least."""
    trees: tuple[str, ...]
    """Directories below `linux/` of the package mirrors; the first is the real one."""
    rpm_version: str = "4.19.1"
    dnf4_version: str = "4.14.0"
    polkit_package: str = "polkitd"
    merges_usr: bool = True
    """Whether the suite's packages make /bin, /lib and /sbin links into /usr, as all that the
    hosts stand for have them.
    """
    has_javascript_rules: bool = True
    """Whether polkit reads rules.d; before version 0.106 it does not."""
    may_vanish: bool = False
    """Whether Debian's archive may not have the suite any more. Its hosts are skipped then."""


BOOKWORM = Suite(
    name="bookworm",
    os_release=CENTOS_STREAM_9,
    dist="el9",
    releasever="9",
    systemd_version="252",
    python_version="3.11",
    dnf5=False,
    debian_dnf=("dnf", "python3-dnf"),
    docker_debs=("docker.io", "containerd", "runc", "tini"),
    containerd_floor="1.6.4",
    trees=("centos/9", "rhel/9", "centos/8", "rhel/8"),
)
TRIXIE = Suite(
    name="trixie",
    os_release=ALMALINUX_10,
    dist="el10",
    releasever="10",
    systemd_version="257",
    python_version="3.13",
    dnf5=False,
    debian_dnf=("dnf", "python3-dnf", "dbus-broker"),
    docker_debs=("docker.io", "docker-cli", "containerd", "runc", "tini"),
    containerd_floor="1.6.24",
    trees=("centos/10", "rhel/10"),
)
FORKY = Suite(
    name="forky",
    os_release=FEDORA_43,
    dist="fc43",
    releasever="43",
    systemd_version="258",
    python_version="3.14",
    dnf5=True,
    debian_dnf=("dnf5", "python3-libdnf5"),
    docker_debs=("docker.io", "docker-cli", "containerd", "runc", "tini"),
    containerd_floor="1.7.27",
    trees=("fedora/43", "fedora/44"),
)
BULLSEYE = Suite(
    name="bullseye",
    os_release=OPENEULER_22_03,
    dist="el8",  # of the tree of packages that openEuler 22.03 takes
    releasever="22.03LTS_SP4",
    systemd_version="247",
    python_version="3.9",
    dnf5=False,
    debian_dnf=("dnf", "python3-dnf"),
    docker_debs=("docker.io", "containerd", "runc", "tini"),
    containerd_floor="1.4.1",
    trees=("rhel/8", "centos/8"),
    rpm_version="4.16.1",
    dnf4_version="4.5.2",
    polkit_package="policykit-1",
    merges_usr=False,
    has_javascript_rules=False,
    may_vanish=True,
)

SUITES: Mapping[str, Suite] = {suite.name: suite for suite in (BOOKWORM, TRIXIE, FORKY, BULLSEYE)}


def os_release_text(fields: OsRelease) -> str:
    """Return the content of an os-release file with these fields."""
    return "".join(f'{key}="{value}"\n' for key, value in fields.items())
