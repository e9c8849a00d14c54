# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages have no warnings, and describe the program completely."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockmgrd import names
from dockmgrd.bus import introspection as interfaces
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.catalog import sources as catalog
from dockmgrd.cli.commands import arguments
from dockmgrd.cli.commands.all import COMMON, LISTED_COMMANDS
from dockmgrd.cli.commands.exitcodes import list_exit_codes
from dockmgrd.host import adminconfig

CHECKOUT = Path(__file__).parents[2]
PAGES = ("dockmgrctl.1", "dockmgrd.8", "dockmgrd.yaml.5", "org.dockmgr1.5")

SECTIONS: Mapping[str, str] = {
    "dockmgrctl.1": "NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS EXIT_STATUS ENVIRONMENT FILES "
    "EXAMPLES SEE_ALSO",
    "dockmgrd.8": "NAME SYNOPSIS DESCRIPTION UNITS SIGNALS ENVIRONMENT JOURNAL AUTHORIZATION "
    "SECURITY FILES EXAMPLES SEE_ALSO",
    "dockmgrd.yaml.5": (
        "NAME SYNOPSIS DESCRIPTION LIMITS MIRROR_WATCH SOURCES MIRRORS EXAMPLES SEE_ALSO"
    ),
    "org.dockmgr1.5": "NAME SYNOPSIS DESCRIPTION MANAGER_INTERFACE "
    "JOB_INTERFACE ERRORS MESSAGES FILES EXAMPLES SEE_ALSO",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pages."""
    folder = tmp_path_factory.mktemp("man")
    # docutils is that of the machine, as in a build of the RPMs.
    command = [sys.executable, "-m", "man", str(folder), "/usr/bin/python3"]
    subprocess.run(command, cwd=CHECKOUT, env={**os.environ, "SOURCE_DATE_EPOCH": "0"}, check=True)
    assert sorted(path.name for path in folder.iterdir()) == sorted(PAGES)
    return folder


def _run(*command: object) -> str:
    """Return the output and the errors of the program."""
    done = subprocess.run(
        [str(argument) for argument in command],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _render(page: Path) -> str:
    """Return the page as it is displayed, without bold and underlining."""
    return re.sub(".\b", "", _run("mandoc", "-T", "utf8", "-O", "width=78", page))


def _examples(page: Path) -> list[str]:
    """Return the blocks of examples, as a reader would copy them."""
    blocks = re.findall(r"^\.EX\n(.*?)\n\.EE$", page.read_text(), re.S | re.M)
    return [block.replace(r"\-", "-").replace(r"\(aq", "'") for block in blocks]


@pytest.mark.parametrize("page", PAGES)
def test_lint(folder: Path, page: str) -> None:
    path = folder / page
    assert _run("mandoc", "-T", "lint", "-W", "warning", path) == ""
    assert _run("groff", "-man", "-ww", "-z", "-K", "utf8", "-T", "utf8", path) == ""
    assert _run("sh", "-c", 'man --warnings --local-file "$1" >/dev/null', "sh", path) == ""


@pytest.mark.parametrize("page", PAGES)
def test_sections_and_date(folder: Path, page: str) -> None:
    text = (folder / page).read_text()
    sections = [each.replace(" ", "_") for each in re.findall(r"^\.SH (.*)$", text, re.M)]
    assert sections == SECTIONS[page].split()
    assert "1970-01-01" in text


@pytest.mark.parametrize("page", PAGES)
def test_named_pages_exist(folder: Path, page: str) -> None:
    named = re.findall(r"\b((?:dockmgr|org\.dockmgr1)[a-z0-9.]*)\((\d)\)", _render(folder / page))
    assert named
    assert {f"{name}.{section}" for name, section in named} <= set(PAGES)


def test_commands_options_and_codes(folder: Path) -> None:
    text = _render(folder / "dockmgrctl.1")
    terms = {line.strip() for line in text.splitlines() if re.match(" {5,14}[^ ]", line)}
    first_words = {term.split()[0].rstrip(",") for term in terms}
    assert {command.name for command in LISTED_COMMANDS} <= first_words
    for option in (*COMMON, *(each for command in LISTED_COMMANDS for each in command.options)):
        value = f"={option.metavar}" if option.metavar else ""
        term = option.flag + (f"[{value}]" if option.implied else value)
        assert f"{option.short}, {term}" in terms if option.short else term in terms
    assert {str(each.code) for each in list_exit_codes()} <= first_words


def test_examples_of_commands_are_valid(folder: Path) -> None:
    lines = "\n".join(_examples(folder / "dockmgrctl.1")).splitlines()
    assert len(lines) > 5
    for line in lines:
        program, *given = shlex.split(line)
        assert program == "dockmgrctl"
        arguments.parse(given)


def test_examples_of_files_are_valid(folder: Path, tmp_path: Path) -> None:
    examples = _examples(folder / "dockmgrd.yaml.5")
    limits, by_registry, watch, ours, resigned, mirrors, registry = examples
    (tmp_path / "dockmgrd.yaml").write_text(limits)
    assert adminconfig.read(tmp_path / "dockmgrd.yaml").idle_seconds == 60
    (tmp_path / "dockmgrd.yaml").write_text(by_registry)
    limited = adminconfig.read(tmp_path / "dockmgrd.yaml")
    assert limited.admits("https://second.example/")
    assert not limited.admits("https://second.example/", "ghcr.io")
    assert not limited.admits("https://mirror.example/", "quay.io")
    (tmp_path / "dockmgrd.yaml").write_text(watch)
    watched = adminconfig.read(tmp_path / "dockmgrd.yaml").mirror_watch
    assert watched is not None
    assert watched.registries == ("docker.io", "ghcr.io")

    (tmp_path / "sources.d").mkdir()
    (tmp_path / "sources.d" / "ours.yaml").write_text(ours)
    (tmp_path / "sources.d" / "resigned.yaml").write_text(resigned)
    catalogue = catalog.Catalog.load(admin=tmp_path / "sources.d")
    assert catalogue.problems == ()
    assert {"ours", "resigned", "tuna"} <= catalogue.sources.keys()

    (tmp_path / "mirrors.d").mkdir()
    (tmp_path / "mirrors.d" / "ours.yaml").write_text(mirrors)
    before = candidates.load(admin=tmp_path / "none").mirrors
    after = candidates.load(admin=tmp_path / "mirrors.d")
    assert after.problems == ()
    assert set(after.mirrors) - set(before) == {"https://mirror.example/"}
    assert len(set(before) - set(after.mirrors)) == 1
    (tmp_path / "mirrors.d" / "registry.yaml").write_text(registry)
    more = candidates.load(admin=tmp_path / "mirrors.d")
    assert more.problems == ()
    assert more.list_mirrors("registry.example:5000") == ("https://mirror.example:5000/",)
    assert "registry.example:5000" in more.images


def test_fields_and_messages_of_the_journal(folder: Path) -> None:
    text = _render(folder / "dockmgrd.8")
    sources = [path.read_text() for path in (CHECKOUT / "dockmgrd").rglob("*.py")]
    fields = set(re.findall(r"\bDOCKMGR_[A-Z_]+", "\n".join(sources)))
    messages = {value for name, value in vars(names).items() if name.startswith("MESSAGE_")}
    missing = [each for each in sorted({*fields, *messages, *names.ACTIONS}) if each not in text]
    assert fields
    assert missing == []


@pytest.mark.parametrize("name", [names.MANAGER_INTERFACE, names.JOB_INTERFACE])
def test_members_of_the_interfaces(folder: Path, name: str) -> None:
    text = _render(folder / "org.dockmgr1.5")
    section = text[text.index(f"{name}: ") :]
    interface = interfaces.load(name)
    for member in (*interface.methods, *interface.signals):
        assert re.search(rf"^ +{member}\(", section, re.M)
    for member, described in interface.properties.items():
        assert re.search(rf"^ +{member} \({re.escape(described.signature)}[,)]", section, re.M)
