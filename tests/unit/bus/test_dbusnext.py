# SPDX-License-Identifier: LGPL-2.1-or-later
"""Only one module imports dbus-next, and only its functions use private names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from dockmgrd.bus import dbusnext
from dockmgrd.bus.dbusnext import AuthError, Message, answer_authentication, marshal, parse_body

PACKAGE = Path(__file__).parents[3] / "dockmgrd"


def private_names(folder: Path) -> set[str]:
    """The names with one underscore that the modules in the folder define."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        names |= {path.stem, path.parent.name}
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def foreign_uses(path: Path, private: set[str]) -> Iterator[str]:
    """Where the module takes one of these names from something that is not its own."""
    tree = ast.parse(path.read_text())
    own = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in private - own:
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner not in ("self", "cls", "os"):
                yield f"{path.name}:{node.lineno} {ast.unparse(node)}"
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {*node.module.split("."), *(alias.name for alias in node.names)}
            if node.module.startswith("dbus_next") and parts & private:
                yield f"{path.name}:{node.lineno} {node.module}"


def test_private_names_of_dbus_next_are_used_in_one_module() -> None:
    spec = find_spec("dbus_next")
    assert spec is not None
    assert spec.origin is not None
    private = private_names(Path(spec.origin).parent)
    assert {"_marshall", "_get", "_cache", "_private", "_authentication_start"} <= private
    uses = {
        path.relative_to(PACKAGE).as_posix(): list(foreign_uses(path, private))
        for path in PACKAGE.rglob("*.py")
    }
    door = uses.pop("bus/dbusnext.py")
    assert len(door) >= 5, "the search finds what is there"
    assert {path: found for path, found in uses.items() if found} == {}


def test_everything_that_is_exported_exists() -> None:
    assert sorted(dbusnext.__all__, key=str.lower) == sorted(
        (name for name in dbusnext.__all__ if hasattr(dbusnext, name)), key=str.lower
    )


@pytest.mark.parametrize("line", ["REJECTED EXTERNAL", "ERROR", "NONSENSE", "", "ok", "\\xff"])
def test_a_bus_that_does_not_accept_us_is_an_authentication_error(line: str) -> None:
    with pytest.raises(AuthError):
        answer_authentication(line)


def test_a_body_is_parsed_behind_its_offset_in_both_byte_orders() -> None:
    message = Message(
        path="/a", interface="b.c", member="D", signature="sx", body=["é", -5], serial=1
    )
    data = marshal(message)
    offset = len(data) - 16
    assert parse_body("sx", data, offset, little_endian=True) == ["é", -5]
    swapped = b"\0" * 8 + b"\0\0\0\2\xc3\xa9\0" + b"\0" + b"\xff" * 7 + b"\xfb"
    assert parse_body("sx", swapped, 8, little_endian=False) == ["é", -5]
