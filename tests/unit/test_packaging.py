# SPDX-License-Identifier: LGPL-2.1-or-later
"""The spec, the RPMs in dist/, and the files for other programs on the host.

Each file is judged by the program that will read it, or by that program's own definition.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockmgrd import __version__, names
from dockmgrd.catalog import sources as catalog

ROOT = Path(__file__).parents[2]
RPM = ROOT / "packaging" / "rpm"
SPEC = RPM / "dockmgrd.spec"
DIST = ROOT / "dist"
SITE_PACKAGES = "/usr/lib/python3/dist-packages/"


def _output(*command: object, env: Mapping[str, str] | None = None) -> str:
    """What the command prints. The test fails with all of it when the command does."""
    done = subprocess.run(
        [str(argument) for argument in command],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _built(name: str) -> Path:
    """Our RPM of that name."""
    found = list(DIST.glob(f"{name}-[0-9]*.noarch.rpm"))
    assert len(found) == 1, f"one {name} is needed in {DIST}: run `make rpm`"
    return found[0]


def _query(rpm: Path, what: str) -> list[str]:
    return _output("rpm", "--nosignature", "-qp", f"--{what}", rpm).splitlines()


def test_rpmlint() -> None:
    rpms = sorted(DIST.glob("*.rpm"))
    assert rpms
    rpmlint = Path(sys.executable).with_name("rpmlint")
    _output(rpmlint, "--strict", "--config", RPM / "rpmlint.toml", SPEC, *rpms)


def test_versions_agree() -> None:
    spec = SPEC.read_text()
    assert re.findall(r"^Version: +(\S+)$", spec, re.M) == [__version__]
    assert re.findall(r"^\* .* - (\S+)-1$", spec, re.M)[0] == __version__
    assert re.findall(r"^## (\S+)", (ROOT / "NEWS.md").read_text(), re.M)[0] == __version__


def test_all_modules_and_data_are_in_the_rpm() -> None:
    wanted = {
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "*.yaml")
        for path in (ROOT / "dockmgrd").rglob(pattern)
    }
    installed = {
        path[len(SITE_PACKAGES) :]
        for path in _query(_built("dockmgrd"), "list")
        if path.startswith(SITE_PACKAGES) and path.endswith((".py", ".yaml"))
    }
    ours = {path for path in installed if "/_vendor/" not in path}
    assert ours == wanted
    assert "dockmgrd/_vendor/dbus_next/__init__.py" in installed


def test_files_of_the_polkit_rules() -> None:
    rules = "/usr/share/polkit-1/rules.d/50-dockmgrd.rules"
    folder = "/usr/share/doc/dockmgrd-polkit-rules"
    documents = [f"{folder}/delegation.md", f"{folder}/examples"]
    documents += [f"{folder}/examples/{path.name}" for path in (ROOT / "polkit/examples").iterdir()]
    assert sorted(_query(_built("dockmgrd-polkit-rules"), "list")) == sorted(
        [folder, *documents, rules]
    )
    command_line = {
        "/usr/bin/dockmgrctl",
        "/usr/share/man/man1/dockmgrctl.1.gz",
        "/usr/share/bash-completion",
        "/usr/share/bash-completion/completions",
        "/usr/share/bash-completion/completions/dockmgrctl",
        "/usr/share/fish",
        "/usr/share/fish/vendor_completions.d",
        "/usr/share/fish/vendor_completions.d/dockmgrctl.fish",
        "/usr/share/zsh",
        "/usr/share/zsh/site-functions",
        "/usr/share/zsh/site-functions/_dockmgrctl",
    }
    listed = _query(_built("dockmgrctl"), "list")
    assert {path for path in listed if not path.startswith("/usr/share/locale/")} == command_line
    daemon = set(_query(_built("dockmgrd"), "list"))
    assert rules not in daemon
    assert "/usr/share/dockmgrd/keys/docker-ce-rpm.asc" in daemon
    pages = ("man5/dockmgrd.yaml.5.gz", "man5/org.dockmgr1.5.gz", "man8/dockmgrd.8.gz")
    assert {f"/usr/share/man/{page}" for page in pages} <= daemon


def test_same_sources_make_the_same_rpms(tmp_path: Path) -> None:
    _output(RPM / "build", env={"OUT": str(tmp_path)})
    again = {path.name: path.read_bytes() for path in tmp_path.glob("*.rpm")}
    assert again.keys() == {path.name for path in DIST.glob("*.rpm")}
    changed = [name for name, content in again.items() if (DIST / name).read_bytes() != content]
    assert changed == []


def test_key_is_the_one_that_the_catalogue_pins(tmp_path: Path) -> None:
    listing = _output(
        *("gpg", "--homedir", tmp_path, "--batch", "--with-colons"),
        *("--show-keys", RPM / "docker-ce-rpm.asc"),
    )
    [fingerprint] = re.findall(r"^pub:.*\n(?:.*\n)*?fpr:+([0-9A-F]{40}):", listing, re.M)
    source = catalog.Catalog.load(admin=tmp_path).get_source("official")
    assert source.key.fingerprint == fingerprint
    assert Path(source.key.file).name == "docker-ce-rpm.asc"


def test_polkit_policy() -> None:
    policy = ROOT / "polkit" / "org.dockmgr1.policy"
    dtd = "/usr/share/polkit-1/policyconfig-1.dtd"
    _output("xmllint", "--noout", "--nonet", "--dtdvalid", dtd, policy)
    defined = re.findall(r'<action id="([^"]+)"', policy.read_text())
    used = {value for name, value in vars(names).items() if name.startswith("ACTION_")}
    assert used <= set(defined)


def test_bus_policy(tmp_path: Path) -> None:
    config = tmp_path / "bus.conf"
    config.write_text(
        '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"'
        ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">'
        f"<busconfig><type>system</type><listen>unix:dir={tmp_path}</listen>"
        f"<include>{ROOT / 'dbus' / 'org.dockmgr1.conf'}</include></busconfig>"
    )
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline()
        daemon.terminate()
    assert address.startswith("unix:")


@pytest.mark.parametrize("unit", ["dockmgrd.service", "dockmgrd-job@.service"])
def test_unit(unit: str) -> None:
    assert _output("systemd-analyze", "verify", "--man=no", ROOT / "systemd" / unit) == ""


def test_daemon_is_sandboxed() -> None:
    """An exposure of 1.0 at the most; the threshold is in tenths."""
    unit = ROOT / "systemd" / "dockmgrd.service"
    _output("systemd-analyze", "security", "--offline=yes", "--threshold=10", "--no-pager", unit)


def test_every_message_is_in_the_journals_catalogue(tmp_path: Path) -> None:
    folder = tmp_path / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "systemd" / "dockmgrd.catalog", folder)
    _output("journalctl", f"--root={tmp_path}", "--update-catalog")
    listing = _output("journalctl", f"--root={tmp_path}", "--list-catalog", "--no-pager")
    explained = {line.split()[0] for line in listing.splitlines()}
    sent = {value for name, value in vars(names).items() if name.startswith("MESSAGE_")}
    assert explained == sent


def test_group_is_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    _output("systemd-sysusers", f"--root={tmp_path}", ROOT / "systemd" / "dockmgrd.sysusers")
    assert "dockmgr:" in (tmp_path / "etc" / "group").read_text()
