# SPDX-License-Identifier: LGPL-2.1-or-later
"""The spec, evaluated by the rpm of each distribution."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from unit.packaging.commands import output
from unit.packaging.targets import SPEC, TARGETS, Target

_SCRIPTLETS = {"pre": "PREIN", "post": "POSTIN", "preun": "PREUN", "postun": "POSTUN"}
_END = "# end of scriptlet"
# What rpm 4.14 of EL 8 does not know.
_NEWER_SYNTAX = (r"%\[", r"%elif", r"%bcond\s", r"%\{expr:", r"%\{defined")


@pytest.fixture(params=TARGETS, ids=lambda target: target.name)
def target(request: pytest.FixtureRequest) -> Target:
    chosen = request.param
    assert isinstance(chosen, Target)
    return chosen


@pytest.fixture
def macros(target: Target, tmp_path: Path) -> Path:
    file = tmp_path / "macros"
    file.write_text(target.macro_text())
    return file


def query(macros: Path, *arguments: str) -> str:
    """What rpmspec says. A warning is a failure: builders see these."""
    text = output("rpmspec", f"--load={macros}", "--query", *arguments, SPEC)
    assert "warning:" not in text, text
    return text


def test_build_requires(target: Target, macros: Path) -> None:
    assert set(query(macros, "--buildrequires").splitlines()) == target.build_requires


def test_requires(target: Target, macros: Path) -> None:
    text = query(macros, "--qf", r"%{name}|[%{REQUIRENEVRS}|]|[%{PROVIDENEVRS}|]|%{license}\n")
    [daemon] = re.findall(r"^dockmgrd\|(.*)\|\|(.*)\|\|(.*)$", text, re.M)
    requires, provides, license_ = daemon
    assert set(requires.split("|")) == target.requires
    assert ("bundled(python3dist(dbus-next)) = 0.2.3" in provides) is target.bundles_dbus_next
    assert ("AND MIT" in license_) is target.bundles_dbus_next


def test_scriptlets(target: Target, macros: Path, tmp_path: Path) -> None:
    scriptlets = daemon_scriptlets(macros)
    assert scriptlets.keys() == target.scriptlets.keys()
    for name, line in target.scriptlets.items():
        assert line in scriptlets[name]
    assert "gpasswd --members '' dockmgr" in scriptlets["postun"]
    for name, text in scriptlets.items():
        file = tmp_path / name
        file.write_text(text)
        output("sh", "-n", file)
        output("bash", "--posix", "-n", file)


def daemon_scriptlets(macros: Path) -> Mapping[str, str]:
    """The scriptlets of the daemon's package, by their names in the spec."""
    parts = "".join(f"%{{name}} {name}\\n%{{{tag}}}{_END}\\n" for name, tag in _SCRIPTLETS.items())
    text = query(macros, "--qf", parts)
    found = re.findall(rf"^dockmgrd (\w+)\n(.*?){_END}$", text, re.M | re.S)
    return {name: script for name, script in found if script != "(none)"}


def test_no_macro_is_missing(macros: Path) -> None:
    text = output("rpmspec", f"--load={macros}", "--parse", SPEC)
    before, _, after = text.partition("%generate_buildrequires")
    sections = r"%(package|description|prep|generate_buildrequires|build|install|check|pre|post"
    sections += r"|preun|postun|files|license|doc|dir|lang|attr|changelog|defattr|exclude)\b"
    left = re.findall(r"%[{(?a-zA-Z_].*", re.sub(sections, "", before + after))
    # printf and Python have these of their own.
    assert [each for each in left if not re.match(r"%[sdpfh]\b", each)] == []


def test_syntax_is_that_of_the_oldest_rpm() -> None:
    text = re.sub(r"^#.*", "", SPEC.read_text(), flags=re.M)
    assert [each for each in _NEWER_SYNTAX if re.search(each, text)] == []
