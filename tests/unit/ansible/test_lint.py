# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ansible's own checks of the collection pass without exceptions."""

from __future__ import annotations

import fcntl
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from controller import collection
from controller.environments import CACHE, NEWEST, ROOT, find_environment, run_checked
from dockmgrd import __version__, errors
from dockmgrd.enums import Kind
from dockmgrd.verbs import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterator

# ansible-test downloads this file from a site of Ansible's own. A Python has a pip, and that one
# brings the version that is wanted.
_GET_PIP = """\
import subprocess, sys
ensure = [sys.executable, "-m", "ensurepip", "--upgrade"]
subprocess.run(ensure, check=True, stdout=subprocess.DEVNULL)
words = [each for each in sys.argv[1:] if each not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *words]).returncode)
"""
_PLUGINS = ROOT / "ansible" / "plugins"
OTHERWISE = {
    "dry-run": "check mode",
    "mirrors": "the module registry_mirrors",
    "upgrade": "state: latest",
}
"""Options of Install that the module engine has in another form."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection's source, where Ansible's tools want it."""
    return collection.copy_source(tmp_path_factory.mktemp("source"))


def run_tool(source: Path, tool: str, *arguments: str) -> None:
    """Run a program of the newest environment in the collection's directory."""
    program = find_environment(NEWEST) / "bin" / tool
    work = source.parents[2]
    env = {
        "ANSIBLE_COLLECTIONS_PATH": str(work),
        "ANSIBLE_HOME": str(work / "home"),
        "PATH": f"{program.parent}:/usr/bin:/bin",
    }
    run_checked(program, *arguments, cwd=source, env=env)


@contextmanager
def locked_home() -> Iterator[Path]:
    """Yield the home directory in which ansible-test keeps the environments of its tests."""
    home = CACHE / "ansible-test"
    (home / ".ansible" / "test" / "cache").mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home


def run_sanity(source: Path, *arguments: str, python: str = "", folder: str = "/usr/bin") -> None:
    """Run `ansible-test sanity`, for the Python of the environment where no other is named.

    `folder` has the other Python.
    """
    environment = find_environment(NEWEST)
    [internals] = environment.glob("lib/python3.*/site-packages/ansible_test/_internal")
    text = (internals / "python_requirements.py").read_text()
    [pip] = set(re.findall(r"\bpip='([0-9.]+)'", text))
    python = python or internals.parents[2].name[len("python") :]
    with locked_home() as home:
        bootstrap = home / ".ansible" / "test" / "cache" / f"get_pip_{pip.replace('.', '_')}.py"
        bootstrap.write_text(_GET_PIP)
        run_checked(
            environment / "bin" / "ansible-test",
            *("sanity", "--local", "--color", "no", "--python", python, *arguments),
            cwd=source,
            env={"HOME": str(home), "PATH": f"{environment / 'bin'}:{folder}:/usr/bin:/bin"},
        )


# The first run on a machine makes an environment for each of the tests.
@pytest.mark.timeout(1800)
def test_sanity(source: Path) -> None:
    run_sanity(source)
    assert not list(source.rglob("ignore*.txt"))


@pytest.mark.timeout(1800)
def test_oldest_python_of_a_node(source: Path) -> None:
    pythons = sorted(Path.home().glob(".pyenv/versions/3.9*/bin/python3.9"))
    python = str(pythons[-1]) if pythons else shutil.which("python3.9")
    if not python:
        pytest.skip("this machine has no Python 3.9")
    tests = ("--test", "compile", "--test", "import")
    run_sanity(source, *tests, python="3.9", folder=str(Path(python).parent))


def test_ansible_lint(source: Path) -> None:
    run_tool(source, "ansible-lint", "--offline", "--profile", "production")


def test_documentation(source: Path) -> None:
    run_tool(source, "antsibull-docs", "lint-collection-docs", "--plugin-docs", ".")


def test_yamllint(source: Path) -> None:
    run_tool(source, "yamllint", "--strict", ".")


def test_changelog(source: Path) -> None:
    run_tool(source, "antsibull-changelog", "lint")
    releases = yaml.safe_load((source / "changelogs" / "changelog.yaml").read_text())["releases"]
    assert __version__ in releases


def test_versions_agree() -> None:
    galaxy = yaml.safe_load((ROOT / "ansible" / "galaxy.yml").read_text())
    assert galaxy["version"] == __version__


def test_exit_codes_that_check_mode_reports() -> None:
    text = (_PLUGINS / "module_utils" / "_exit_codes.py").read_text()
    codes = {name: int(code) for name, code in re.findall(r'^    "(\w+)": (\d+),$', text, re.M)}
    ours = [each for each in errors.DockmgrError.__subclasses__() if each.exit_code >= 10]
    wanted = {each.dbus_name.rpartition(".")[2]: each.exit_code for each in ours}
    del wanted["HostUnreachable"]  # is about ssh
    assert codes == wanted


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("engine", (Kind.INSTALL, Kind.UNINSTALL)),
        ("registry_mirrors", (Kind.SET_MIRROR,)),
        ("engine_version_info", (Kind.LIST_VERSIONS,)),
        ("registry_mirror_info", (Kind.PROBE,)),
    ],
)
def test_every_option_of_the_service_has_its_parameter(name: str, kinds: tuple[Kind, ...]) -> None:
    module = (_PLUGINS / "modules" / f"{name}.py").read_text()
    parameters = set(re.findall(r'^            "(\w+)": \{"type": ', module, re.M))
    options = {key for kind in kinds for key in SIGNATURES[kind]}
    others = {"dry-run": "check mode", "expected": "for the mirror watch"}
    otherwise = OTHERWISE if name == "engine" else others
    assert {key.replace("-", "_") for key in options - otherwise.keys()} <= parameters
