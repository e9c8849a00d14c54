# SPDX-License-Identifier: LGPL-2.1-or-later
"""The distributions that the spec is for, by what their rpm knows, and what the spec makes of it.

The macros are stand-ins of ours: one file for each set of macros that some distributions have and
others have not. What a distribution has was looked up in its own packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
RPM = ROOT / "packaging" / "rpm"
SPEC = RPM / "dockmgrd.spec"
MACROS = Path(__file__).with_name("macros")

_PAGE = frozenset({"desktop-file-utils", "libappstream-glib"})
_BUILD = _PAGE | frozenset(
    {"gettext", "python3-devel", "python3-docutils", "python3-pyyaml", "python3-rpm"}
    | {"python3-setuptools", "python3-systemd", "python3-wheel"}
)
_PYPROJECT = _BUILD | {
    "(python3-tomli if python3-devel < 3.11)",
    "pyproject-rpm-macros",
    "python3-packaging",
    "python3-pip",
    "systemd-rpm-macros",
}
_DBUS_NEXT = "(python3-dbus-next >= 0.2.3 with python3-dbus-next < 0.3)"

_REQUIRES = frozenset(
    {"dbus", "polkit", "systemd", "python3-pyyaml", "python3-rpm", "python3-systemd"}
    | {"(python3-dnf if dnf < 5)", "(python3-libdnf5 if dnf5)", "shadow-utils", "/bin/sh"}
)

_HELPER = "/usr/lib/systemd/systemd-update-helper"
_NEW_SYSTEMD = {
    "post": f"{_HELPER} install-system-units dockmgrd.service",
    "preun": f"{_HELPER} remove-system-units dockmgrd.service",
    "postun": f"{_HELPER} mark-restart-system-units dockmgrd.service",
}
_OLD_SYSTEMD = {
    "post": "systemctl --no-reload preset dockmgrd.service",
    "preun": "systemctl --no-reload disable --now dockmgrd.service",
    "postun": "systemctl try-restart dockmgrd.service",
}
_ADD_GROUP = {"pre": "groupadd --system dockmgr"}


@dataclass(frozen=True)
class Target:
    """A distribution: its macros, and the requirements and scriptlets that our packages get."""

    name: str
    defines: Mapping[str, str]
    """What its rpm defines to say which distribution it is."""
    macros: tuple[str, ...]
    """Files of `macros/` that stand for what its packages of macros have."""
    build_requires: frozenset[str]
    requires: frozenset[str] = _REQUIRES
    """Those of the daemon that the spec names; the generators add others in a build."""
    scriptlets: Mapping[str, str] = field(default_factory=dict)
    """The line of each scriptlet by which it does its work."""
    bundles_dbus_next: bool = True
    owns_shell_folders: bool = True
    has_package_python: bool = False
    """Whether another Python than the daemon's has the bindings."""
    has_restart_steps: bool = False

    def macro_text(self) -> str:
        """All of it as a macro file."""
        lines = [f"%{name} {value}\n" for name, value in self.defines.items()]
        files = ("python", *self.macros, "build")
        return "".join([(MACROS / f"{file}.macros").read_text() for file in files] + lines)


def _fedora(version: str) -> Target:
    return Target(
        f"Fedora {version}",
        {"fedora": version, "dist": f".fc{version}"},
        ("pyproject", "systemd-252", "shells", "ansible"),
        _PYPROJECT | {_DBUS_NEXT, "ansible-packaging"},
        scriptlets=_NEW_SYSTEMD,
        bundles_dbus_next=False,
        owns_shell_folders=False,
        has_restart_steps=True,
    )


def _openeuler(version: str, systemd: str, scriptlets: Mapping[str, str]) -> Target:
    return Target(
        f"openEuler {version}",
        {"openEuler": "2", "_vendor": "openEuler"},
        (systemd,),
        _BUILD | {"systemd"},
        scriptlets={**_ADD_GROUP, **scriptlets},
    )


TARGETS = (
    _fedora("43"),
    _fedora("44"),
    Target(
        "EL 8",
        {
            "rhel": "8",
            "el8": "1",
            "dist": ".el8",
            "python3_sitelib": "/usr/lib/python3.12/site-packages",
        },
        ("systemd-239",),
        _PAGE
        | frozenset(
            {"gettext", "python3.12-devel", "python3.12-pyyaml", "python3.12-setuptools"}
            | {"python3.12-wheel", "python3-docutils", "systemd-rpm-macros"}
        ),
        _REQUIRES - {"python3-pyyaml", "python3-systemd"}
        | {"python3.12-pyyaml", "/usr/libexec/platform-python"},
        {**_ADD_GROUP, **_OLD_SYSTEMD},
        has_package_python=True,
    ),
    Target(
        "EL 9",
        {"rhel": "9", "el9": "1", "dist": ".el9"},
        ("pyproject", "systemd-252"),
        _PYPROJECT,
        scriptlets={**_ADD_GROUP, **_NEW_SYSTEMD},
    ),
    Target(
        "EL 10",
        {"rhel": "10", "el10": "1", "dist": ".el10"},
        ("pyproject", "systemd-252", "shells"),
        _PYPROJECT,
        scriptlets={**_ADD_GROUP, **_NEW_SYSTEMD},
        owns_shell_folders=False,
        has_restart_steps=True,
    ),
    Target(
        "Amazon Linux 2023",
        {"amzn": "2023", "dist": ".amzn2023"},
        ("pyproject", "systemd-252"),
        _PYPROJECT,
        scriptlets={**_ADD_GROUP, **_NEW_SYSTEMD},
    ),
    _openeuler("22.03", "systemd-239", _OLD_SYSTEMD),
    _openeuler("24.03", "systemd-252", _NEW_SYSTEMD),
)

BUILT = ("Fedora 44", "EL 8", "EL 9", "EL 10", "Amazon Linux 2023", "openEuler 22.03")
"""Of these, the RPMs are built: one of each set of macros."""
