# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's way to build the RPMs, done as it says with the macros of each distribution.

rpm and rpmbuild are real. dnf is a stub that knows what `builddep` brings; see dnf_stub.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import dbus_next
import pytest

from integration.documents import blocks
from unit.packaging.commands import output
from unit.packaging.targets import BUILT, ROOT, RPM, SPEC, TARGETS, Target

_STUB = Path(__file__).with_name("dnf_stub.py")
_PYTHON = "{}.{}".format(*sys.version_info[:2])
_SITE_PACKAGES = f"/usr/lib/python{_PYTHON}/site-packages"
_MISSING_BUILD_REQUIRES = 11  # what rpmbuild exits with
_SHELL_FOLDERS = {
    "/usr/share/bash-completion",
    "/usr/share/bash-completion/completions",
    "/usr/share/fish",
    "/usr/share/fish/vendor_completions.d",
    "/usr/share/zsh",
    "/usr/share/zsh/site-functions",
}


class BuildHost:
    """A home of its own, in which rpm has the macros and the packages of a distribution."""

    def __init__(self, target: Target, home: Path) -> None:
        self.target, self.home = target, home
        database = f"%_dbpath {home}/rpmdb\n"
        text = database + target.macro_text()
        if target.has_package_python:
            # The Python of this machine stands for both.
            text += "%python312 /usr/bin/python3\n%python_docutils /usr/bin/python3\n"
            text += f"%python3_sitelib {_SITE_PACKAGES}\n"
        (home / ".rpmmacros").write_text(text)
        tools = home / "bin"
        tools.mkdir()
        dnf = tools / "dnf"
        dnf.write_text(f'#!/bin/sh\nexec {sys.executable} {_STUB} "$@"\n')
        dnf.chmod(0o755)
        self.environment = {
            "HOME": str(home),
            "PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            # What python3-dbus-next would have brought.
            **({} if target.bundles_dbus_next else {"PYTHONPATH": str(_copy_of_dbus_next(home))}),
        }

    def run(self, script: str) -> str:
        """What the lines print, given to a shell in the home."""
        return output("bash", "-euc", f"cd; {script}", env=self.environment)

    @cached_property
    def rpms(self) -> dict[str, Path]:
        """The packages that were built, by name."""
        found = (self.home / "rpmbuild" / "RPMS").rglob("*.rpm")
        return {re.sub(r"-[0-9].*", "", path.name): path for path in found}

    def query(self, package: str, what: str) -> set[str]:
        return set(
            output("rpm", "--nosignature", "-qp", f"--{what}", self.rpms[package]).splitlines()
        )


def _copy_of_dbus_next(home: Path) -> Path:
    """A folder that has dbus-next alone."""
    folder = home / "site-packages"
    shutil.copytree(Path(dbus_next.__file__).parent, folder / "dbus_next")
    return folder


@pytest.fixture(scope="session")
def source_rpm() -> Path:
    [path] = (ROOT / "dist").glob("dockmgrd-*.src.rpm")
    return path


def readme_commands() -> Mapping[str, str]:
    """The commands of README's table of what to install first, by the systems."""
    rows = re.findall(r"^\| ([^|]+) \| `(dnf install rpm-build [^`]*)` \|$", readme(), re.M)
    assert len(rows) == 5
    return dict(rows)


def readme() -> str:
    return (ROOT / "README.md").read_text()


def build_lines() -> str:
    [block] = [each for each in blocks("README.md") if "builddep" in each.text]
    return block.text


@pytest.mark.parametrize(
    "target", [each for each in TARGETS if each.name in BUILT], ids=lambda target: target.name
)
def test_readme_builds_the_packages(target: Target, tmp_path: Path, source_rpm: Path) -> None:
    """One test, as the build takes far longer than what looks at its packages."""
    host = BuildHost(target, tmp_path)
    shutil.copy(source_rpm, host.home)
    commands = readme_commands().items()
    [first] = [command for systems, command in commands if _family(target.name) in systems]
    host.run(first)
    log = host.run(build_lines())
    assert "File listed twice" not in log, log
    assert "Installed (but unpackaged)" not in log, log
    require_modules(host)
    require_requirements(host)
    require_interpreter(host)
    require_folders(host)


def _family(name: str) -> str:
    """What README calls it: EL is several, and Fedora is any."""
    if name == "EL 8":
        return "AlmaLinux 8"
    return {"EL": "CentOS Stream", "Fedora": "Fedora"}.get(name.split()[0], name)


def require_modules(host: BuildHost) -> None:
    assert {"dockmgrd", "dockmgrctl", "dockmgrd-polkit-rules"} <= host.rpms.keys()
    modules = {path for path in host.query("dockmgrd", "list") if path.endswith(".py")}
    folder = "/usr/libexec/dockmgrd/worker/"
    for_packages = {path for path in modules if path.startswith(folder)}
    assert bool(for_packages) is host.target.has_package_python
    modules -= for_packages
    ours = {path for path in modules if "/_vendor/" not in path}
    wanted = {
        f"{_SITE_PACKAGES}/{path.relative_to(ROOT)}" for path in ROOT.glob("dockmgrd/**/*.py")
    }
    assert ours == wanted
    assert bool(modules - ours) is host.target.bundles_dbus_next


def require_requirements(host: BuildHost) -> None:
    requires = host.query("dockmgrd", "requires")
    assert host.target.requires <= requires
    generated = {
        f"python(abi) = {_PYTHON}",
        f"python{_PYTHON}dist(pyyaml)",
    }
    assert generated <= requires
    has_binding = f"python{_PYTHON}dist(systemd-python)" in requires
    assert has_binding is not host.target.has_package_python
    dbus_next = [each for each in requires if "dist(dbus-next)" in each]
    if host.target.bundles_dbus_next:
        assert dbus_next == []
    else:
        name = f"python{_PYTHON}dist(dbus-next)"
        [required] = dbus_next
        halves = set(required.strip("()").split(" with "))
        assert halves == {f"{name} >= 0.2.3", f"{name} < 0.3"}
    assert f"/usr/bin/python{_PYTHON}" in host.query("dockmgrctl", "requires")


def require_interpreter(host: BuildHost) -> None:
    """Units and launcher name the Python that has the modules."""
    root = host.home / "unpacked"
    root.mkdir()
    for rpm in ("dockmgrd", "dockmgrctl"):
        unpack = 'rpm2archive - <"$0" | tar --extract --gzip --directory "$1"'
        output("bash", "-c", unpack, host.rpms[rpm], root)
    folder = root / "usr/lib/systemd/system"
    units = (folder / "dockmgrd.service", folder / "dockmgrd-job@.service")
    for file in (root / "usr/bin/dockmgrctl", *units):
        interpreters = re.findall(r"/usr/bin/python[0-9.]* ", file.read_text())
        assert interpreters == [f"/usr/bin/python{_PYTHON} "], file
    settings = (root / _SITE_PACKAGES[1:] / "dockmgrd/host/package_python.py").read_text()
    python = "/usr/libexec/platform-python" if host.target.has_package_python else ""
    assert re.findall(r'^_PYTHON = "(.*)"$', settings, re.M) == [python]


def require_folders(host: BuildHost) -> None:
    """What has no owner stays when the package goes; what is systemd's to make is not ours."""
    daemon, command_line = (host.query(name, "list") for name in ("dockmgrd", "dockmgrctl"))
    assert (command_line & _SHELL_FOLDERS == _SHELL_FOLDERS) is host.target.owns_shell_folders
    assert not [path for path in daemon if path.startswith("/var")]
    drop_in = "/usr/lib/systemd/system/dockmgrd.service.d/restart.conf"
    assert (drop_in in daemon) is host.target.has_restart_steps
    folders = {str(Path(path).parent) for path in daemon if path.startswith(_SITE_PACKAGES)}
    assert folders - daemon == {_SITE_PACKAGES}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_missing_packages_are_named(target: Target, tmp_path: Path) -> None:
    host = BuildHost(target, tmp_path)
    done = subprocess.run(
        ["rpmbuild", "-bd", SPEC],
        env=host.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == _MISSING_BUILD_REQUIRES, done.stdout
    named = set(re.findall(r"^\t(.*) is needed by dockmgrd-", done.stdout, re.M))
    assert named == {each for each in target.build_requires if " if " not in each}


def test_job_of_el_8_starts_with_sigterm_blocked() -> None:
    program = "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    wrapper = RPM / "el8" / "block-term"
    shown = output(sys.executable, wrapper, sys.executable, "-c", program)
    assert "SIGTERM" in shown
