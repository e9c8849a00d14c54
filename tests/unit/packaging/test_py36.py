# SPDX-License-Identifier: LGPL-2.1-or-later
"""The worker's sources for Python 3.6: only what that version cannot read is replaced."""

from __future__ import annotations

import ast
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from unit.packaging.commands import output
from unit.packaging.targets import ROOT, RPM

DATACLASSES = "dockmgrd._dataclasses"
PROGRAM = RPM / "py36" / "rewrite.py"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = spec_from_file_location("rewrite", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "rewritten"),
    [
        ("from __future__ import annotations\n", "pass\n"),
        ("def f(a: x, *b: y, **c: z) -> l[s]: 1", "def f(a: 'x', *b: 'y', **c: 'z') -> 'l[s]': 1"),
        ("class A:\n    é: dict[str, str] = {}\n", "class A:\n    é: 'dict[str, str]' = {}\n"),
        ("x: dict[\n    str, int\n] = {}\n", "x: 'dict[ str, int ]'\\\n\\\n = {}\n"),
        ("from collections.abc import Callable as C\n", "from typing import (Callable as C)\n"),
        ("from collections.abc import (\n    A,\n    B,\n)\n", "from typing import (\n\n\nA, B)\n"),
        ("from typing import Any, Protocol\n", "from typing import Any; Protocol = object\n"),
        ("from typing import Protocol\n", "Protocol = object\n"),
        ("from typing import Any\n", "from typing import Any\n"),
        ("from dataclasses import field\n", f"from {DATACLASSES} import (field)\n"),
        ("sha1(x, usedforsecurity=False)\n", "sha1(x)\n"),
        ("with (\n    a as b,\n    c,\n):\n    pass\n", "with \\\na as b, \\\nc\\\n:\n    pass\n"),
        ("with (a) as b:\n    pass\n", "with (a) as b:\n    pass\n"),
        ("with a(b), c():\n    pass\n", "with a(b), c():\n    pass\n"),
    ],
)
def test_rewriting(program: ModuleType, source: str, rewritten: str) -> None:
    assert program.rewrite(source) == rewritten


@pytest.mark.parametrize(
    "source", ["if (x := 1):\n    pass\n", "def f(a, /): ...\n", "match x:\n    case _: pass\n"]
)
def test_syntax_that_it_cannot_rewrite_is_an_error(program: ModuleType, source: str) -> None:
    with pytest.raises(SyntaxError):
        program.rewrite(source)


def test_the_worker_and_all_that_it_imports(program: ModuleType, tmp_path: Path) -> None:
    output("python3", PROGRAM, ROOT / "dockmgrd", tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.py")}
    assert "__main__.py" in written
    assert {f"dockmgrd/{name}.py" for name in ("worker/locks", "host/rpmdb", "model")} <= written
    assert not [path for path in written if "dnf5" in path or "/job/" in path]
    for path in sorted(written):
        text = (tmp_path / path).read_text()
        ast.parse(text, feature_version=(3, 6))
        source = ROOT / path
        if source.is_file():
            # A traceback names the line of the source.
            assert _find_functions(text) == _find_functions(source.read_text()), path


def test_a_source_that_cannot_be_rewritten_is_named(tmp_path: Path) -> None:
    package = tmp_path / "dockmgrd"
    for name in ("worker/__main__", "worker/__init__", "host/__init__", "__init__", "host/rpmdb"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).with_suffix(".py").write_text("\n")
    (package / "worker/dnf4").mkdir()
    (package / "worker/dnf4/__init__.py").write_text("\n")
    (package / "worker/dnf4/backend.py").write_text("\nprint(x := 1)\n")
    with pytest.raises(AssertionError, match=r"dnf4/backend\.py:2: "):
        output("python3", PROGRAM, package, tmp_path / "out")


def _find_functions(source: str) -> list[tuple[str, int]]:
    return [
        (node.name, node.lineno)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
