# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interface files are accepted by the code generators of other D-Bus libraries."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dockmgrd import names
from dockmgrd.bus import introspection

FOLDER = Path(__file__).parents[3] / "dbus"
INTERFACES = (names.MANAGER_INTERFACE, names.JOB_INTERFACE)
QT_TYPE = "org.qtproject.QtDBus.QtTypeName"
# What Qt knows without an annotation.
QT_KNOWS = {"s", "b", "u", "t", "d", "o", "x", "i", "as"}
QT_TYPES = {
    "a{sv}": "QVariantMap",
    "a{ss}": "QMap<QString,QString>",
    "aa{sv}": "QList<QVariantMap>",
}

each_interface = pytest.mark.parametrize("name", INTERFACES)


def generate(*command: object) -> str:
    """Run the generator, which must have nothing to complain about; return its output."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def members(name: str) -> list[str]:
    interface = introspection.load(name)
    return [*interface.methods, *interface.properties, *interface.signals]


@each_interface
@pytest.mark.parametrize("version", [5, 6])
def test_qdbusxml2cpp(tmp_path: Path, name: str, version: int) -> None:
    program = f"/usr/lib/qt{version}/bin/qdbusxml2cpp"
    generate(
        *(program, "-p", tmp_path / "proxy", "-a", tmp_path / "adaptor", FOLDER / f"{name}.xml")
    )
    for kind in ("proxy", "adaptor"):
        header = (tmp_path / f"{kind}.h").read_text()
        for member in members(name):
            assert re.search(rf"\b{member}\b", header), (kind, member)
        assert "QVariantMap" in header


@each_interface
def test_gdbus_codegen(tmp_path: Path, name: str) -> None:
    where = FOLDER / f"{name}.xml"
    generate("gdbus-codegen", "--generate-c-code", tmp_path / "code", where)
    generate("gdbus-codegen", "--generate-docbook", tmp_path / "docs", where)
    header = (tmp_path / "code.h").read_text()
    # These are functions in snake case: last_error for LastError.
    for member in members(name):
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", member).lower()
        assert re.search(rf"_{snake}\b", header), member
    manual = (tmp_path / f"docs-{name}.xml").read_text()
    ElementTree.fromstring(manual)
    assert introspection.load(name).signals.keys() <= set(re.findall(r"[A-Z]\w+", manual))


@each_interface
def test_python_sdbus(name: str) -> None:
    for style in ("--async", "--block"):
        code = generate(
            *(sys.executable, "-m", "sdbus", "gen-from-file", style, FOLDER / f"{name}.xml")
        )
        [generated] = [each for each in ast.parse(code).body if isinstance(each, ast.ClassDef)]
        functions = {
            each.name
            for each in generated.body
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        wanted = introspection.load(name)
        expected = [*wanted.methods, *wanted.properties]
        if style == "--async":
            expected += wanted.signals
        snakes = {re.sub(r"(?<!^)(?=[A-Z])", "_", each).lower() for each in expected}
        assert snakes <= functions
        namespace = {"__name__": "generated"}
        exec(compile(code, name, "exec"), namespace)
        assert generated.name in namespace


@each_interface
def test_types_that_qt_does_not_know_are_annotated_with_its_own(name: str) -> None:
    root = ElementTree.parse(FOLDER / f"{name}.xml").getroot()
    for member in (each for tag in ("method", "signal", "property") for each in root.iter(tag)):
        annotations = {
            each.attrib["name"]: each.attrib["value"] for each in member.findall("annotation")
        }
        expected = {}
        if member.tag == "property" and member.attrib["type"] not in QT_KNOWS:
            expected[QT_TYPE] = QT_TYPES[member.attrib["type"]]
        default = "out" if member.tag == "signal" else "in"
        for direction in ("in", "out"):
            arguments = [
                each
                for each in member.findall("arg")
                if each.attrib.get("direction", default) == direction
            ]
            for index, argument in enumerate(arguments):
                if argument.attrib["type"] not in QT_KNOWS:
                    key = f"{QT_TYPE}.{direction.title()}{index}"
                    expected[key] = QT_TYPES[argument.attrib["type"]]
        given = {key: each for key, each in annotations.items() if key.startswith(QT_TYPE)}
        assert given == expected, member.attrib["name"]
