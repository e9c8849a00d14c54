# SPDX-License-Identifier: LGPL-2.1-or-later
"""The documents match the program. Tests on hosts run their commands."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import pytest

from bed import picture
from dockmgrd.cli.commands.all import COMMANDS, COMMON
from dockmgrd.cli.commands.arguments import parse
from dockmgrd.cli.commands.exitcodes import list_exit_codes
from dockmgrd.verbs import METHODS, SIGNATURES
from integration.documents import COMMANDS as SHELL_LANGUAGES
from integration.documents import NOT_FOR_RUNNING, PROGRAMS, ROOT, blocks

DOCUMENTS = sorted(
    str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
)
DONE_ON_HOSTS = ("README.md", "docs/tutorial.md")
MAX_README_LINES = 320

# The beginnings of the shell blocks in these documents that no test runs.
NOT_RUN: Mapping[str, Sequence[str]] = {
    "README.md": ["rpm -i ./dockmgrd", "dnf install ./cockpit-dockmgr", "make demo"],
    "docs/tutorial.md": [],
}
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_OUR_PATH = re.compile(
    r"(?:dockmgrd|dbus|systemd|polkit|man|completions|po|packaging|docs|tests|bench|job)/[\w./-]*"
)
_IN_CODE = re.compile(r"dockmgrctl (?P<rest>[a-z-].*)")


def read(document: str) -> str:
    return (ROOT / document).read_text()


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", document.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_have_targets(document: str) -> None:
    here = ROOT / document
    for link in _LINK.findall(here.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (here.parent / path).resolve() if path else here
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    for code in _CODE.findall(read(document)):
        if _OUR_PATH.fullmatch(code):
            places = [ROOT / code, ROOT / "dockmgrd" / code]
            assert any(place.exists() for place in places), code


@pytest.mark.parametrize("document", DONE_ON_HOSTS)
def test_every_block_runs_or_is_marked(document: str) -> None:
    known = (*SHELL_LANGUAGES, *PROGRAMS, *NOT_FOR_RUNNING)
    assert read(document).count("```") == 2 * len(blocks(document))
    for block in blocks(document):
        assert block.language in known, block
        if block.language in NOT_FOR_RUNNING:
            assert not re.search(r"^dockmgrctl", block.text, re.M), "a command hides in it"
        if block.language == "console":
            assert list(block.scripts()), block
    not_run = [block.first_line for block in blocks(document) if block.reason]
    for line, beginning in zip_longest(not_run, NOT_RUN[document], fillvalue="?"):
        assert line.startswith(beginning)


def commands(document: str) -> Iterator[str]:
    """Yield each command line of dockmgrctl in the blocks of a document."""
    for block in blocks(document):
        if block.language in SHELL_LANGUAGES or not block.language:
            for line in block.text.splitlines():
                found = re.match(r"(?:[#$] )?(?:sudo -u \w+ )?(dockmgrctl .*)", line)
                if found and "…" not in line:
                    yield found[1]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_command_lines_are_valid(document: str) -> None:
    for line in commands(document):
        parse(shlex.split(line, comments=True)[1:])
    words = {each.name for each in COMMANDS} | {each.flag for each in COMMON}
    words |= {str(each.short) for each in COMMON}
    for code in _CODE.findall(read(document)):
        found = _IN_CODE.fullmatch(code)
        if found:
            assert found["rest"].split()[0] in words, code


TRANSLATED = [name for name in DOCUMENTS if name.endswith(".zh_CN.md")]


@pytest.mark.parametrize("document", TRANSLATED)
def test_translations_have_the_same_commands(document: str) -> None:
    """The commands are the same; comments and output are translated."""

    def list_commands(name: str) -> list[tuple[str, str, list[str]]]:
        return [
            (block.language, script.user, shlex.split(script.text, comments=True))
            for block in blocks(name)
            if block.language in SHELL_LANGUAGES
            for script in block.scripts()
        ]

    assert list_commands(document) == list_commands(document.replace(".zh_CN", ""))


def test_readme_is_readable() -> None:
    assert read("README.md").count("\n") <= MAX_README_LINES


def test_table_of_exit_codes() -> None:
    table = read("README.md").partition("\n| Code | Error |")[2].partition("\n\n")[0]
    cells = [cell.strip() for row in table.splitlines() for cell in row.strip("|").split("|")]
    shown = {int(code): text for code, text in zip(cells, cells[1:]) if code.isdigit()}
    of_errors = {each.code: each.name for each in list_exit_codes() if each.name}
    assert {code: text for code, text in shown.items() if code in of_errors} == of_errors
    assert shown.keys() - of_errors.keys() == {130}


def test_table_of_the_api() -> None:
    table = read("README.md").partition("| Method |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+) \(.*?\)`.*? \| (?:job )?(?:`(\S+)` )?\| ?(.*) ?\|$", table, re.M)
    wanted = []
    for interface in ("Manager", "Job"):
        tree = ElementTree.parse(ROOT / "dbus" / f"org.dockmgr1.{interface}.xml")
        for method in tree.iter("method"):
            returned = [arg.get("type") for arg in method if arg.get("direction") == "out"]
            wanted.append((method.get("name"), *returned))
    shown = [(name, *([returned] if returned else [])) for name, returned, _ in rows]
    assert sorted(shown) == sorted(wanted)
    for name, _, text in rows:
        if name in METHODS:
            options = dict(re.findall(r"`([a-z-]+)` (as|[sbu])\b", text))
            expected = dict(SIGNATURES[METHODS[name]])
            if name != "Install":
                expected.pop("mirrors", None)
            assert options == expected, name


def test_picture_is_current_and_self_contained() -> None:
    tree = ElementTree.parse(picture.PICTURE).getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert tree.findtext(f"{space}title") == picture.title()
    text = picture.PICTURE.read_text().partition(">")[2]
    assert "http" not in re.sub(r"<t(itle|ext).*?</t\1>", "", text)
    assert not {each.tag for each in tree.iter()} - {
        space + name for name in ("svg", "title", "rect", "g", "text")
    }
