# SPDX-License-Identifier: LGPL-2.1-or-later
"""The layer that makes a stand-in for an RPM host of a suite's Debian tree."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bed import debian, identity, overlay, repositories
from bed.cache import Recipe, shared, text_of
from bed.shell import checked
from bed.sites import BASE, SITES
from bed.suites import os_release_text
from bed.trees import remove_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bed.suites import Suite

_TEXT = text_of(__file__)
INSIDE = Path(__file__).parent / "inside"
KEY_FILE = "/etc/pki/bed/RPM-GPG-KEY-bed"
MACHINE_ID = "b0c5ad0b7d7f4d64a8f6a15f0a1f0bed"

_PROGRAMS = {
    "systemd-update-helper": "/usr/lib/systemd/systemd-update-helper",
}
_FILES = {
    "faults.py": "/usr/share/bed/inside/faults.py",
    "internet.py": "/usr/share/bed/inside/internet.py",
    "registry.yaml": "/usr/share/bed/registry.yaml",
    "bed-internet.socket": "/usr/lib/systemd/system/bed-internet.socket",
    "bed-internet.service": "/usr/lib/systemd/system/bed-internet.service",
    "bed-registry.service": "/usr/lib/systemd/system/bed-registry.service",
}
_DNF_CONF = """\
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
"""
_DNF5_CONF = "[main]\n"
_BASE_REPOSITORY = f"""\
[base]
name=The distribution's own packages
baseurl=https://{BASE}/
enabled=1
gpgcheck=1
gpgkey=file://{KEY_FILE}
"""
# Where the kernel has these built in there is no module to find, and real hosts have modules.
_KERNEL_MODULES = ("br_netfilter", "nf_tables", "overlay", "veth", "xt_addrtype", "xt_conntrack")


def provide(suite: Suite) -> tuple[Path, ...]:
    """Return the layers of a host on which nothing of ours is installed, the topmost first."""
    tree = debian.provide(suite) / "root"
    packages = repositories.provide(suite)
    keys = identity.provide()
    texts = [path.read_text() for path in sorted(INSIDE.iterdir()) if path.is_file()]
    recipe = Recipe(
        f"system-{suite.name}",
        (
            os.uname().release,
            tree.parent.name,
            packages.name,
            keys.directory.name,
            repr(suite),
            repr(SITES),
            _TEXT,
            *texts,
        ),
    )
    layer = shared().provide(
        recipe, lambda directory: _build(suite, tree, packages, keys, directory)
    )
    return layer / "upper", tree


def _build(
    suite: Suite, tree: Path, packages: Path, keys: identity.Identity, directory: Path
) -> None:
    staged = directory / "staged"
    for path, text in _texts(suite).items():
        _put(staged, path, text)
    for name, path in _FILES.items():
        _put(staged, path, (INSIDE / name).read_text())
    for name, path in _PROGRAMS.items():
        _put(staged, path, (INSIDE / name).read_text()).chmod(0o755)
    _put(staged, KEY_FILE, keys.public_key().read_text())
    _put(staged, "/usr/local/share/ca-certificates/bed.crt", keys.authority.read_text())
    _put(staged, "/usr/share/bed/server.pem", keys.server.read_text()).chmod(0o600)
    stack = overlay.Stack((tree,), directory / "upper", directory / "work", directory / "root")
    stack.make_directories()
    script = f"""
{stack.mount_command()}
cp --archive --no-target-directory --remove-destination {staged} {stack.root}
mkdir {stack.root}/run/installed
mount --bind {packages / "installed"} {stack.root}/run/installed
chroot {stack.root} sh -s < {INSIDE / "furnish.sh"}
umount {stack.root}/run/installed
rmdir {stack.root}/run/installed
"""
    checked(["sh", "-euc", script], private=True)
    for leftover in (staged, stack.work, stack.root):
        remove_tree(leftover)


def _texts(suite: Suite) -> Mapping[str, str]:
    os_release = suite.os_release
    release = f"{os_release['NAME']} release {os_release['VERSION']}\n"
    modules = f"/usr/lib/modules/{os.uname().release}"
    sites = {host: dataclasses.asdict(site) for host, site in SITES.items()}
    return {
        "/etc/dnf/dnf.conf": _DNF5_CONF if suite.dnf5 else _DNF_CONF,
        "/etc/hostname": "host.bed.test\n",
        "/etc/hosts": hosts_text({}),
        "/etc/machine-id": f"{MACHINE_ID}\n",
        "/etc/redhat-release": release,
        "/etc/resolv.conf": "",
        "/etc/rpm/macros": "%_dbpath /var/lib/rpm\n",
        "/etc/yum.repos.d/base.repo": _BASE_REPOSITORY,
        "/usr/lib/os-release": os_release_text(os_release),
        "/usr/lib/systemd/system-preset/99-default-disable.preset": "disable *\n",
        "/usr/share/bed/sites.json": json.dumps(sites),
        f"{modules}/modules.order": "",
        f"{modules}/modules.builtin": "".join(
            f"kernel/net/{module}.ko\n" for module in _KERNEL_MODULES
        ),
    }


def hosts_text(addresses: Mapping[str, str]) -> str:
    """Return /etc/hosts with every site on 127.0.0.1 but where `addresses` says otherwise.

    A site with an empty address gets no line: its name cannot be resolved.
    """
    lines = ["127.0.0.1 localhost host.bed.test\n"]
    for host in SITES:
        address = addresses.get(host, "127.0.0.1")
        if address:
            lines.append(f"{address} {host}\n")
    return "".join(lines)


def _put(staged: Path, path: str, text: str) -> Path:
    target = staged / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target
