# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rewrite the package worker, and all modules that it imports, for Python 3.6.

usage: python3 rewrite.py PACKAGE FOLDER [PYTHON INSTALLED]

EL 8 has the bindings of dnf and rpm for Python 3.6 alone. PACKAGE is the folder of the package
dockmgrd. The rewritten modules go into FOLDER, which Python runs as the worker. Only what Python
3.6 cannot read is replaced, at its place, so that line numbers stay. What is left and is not of
Python 3.6 is an error. With PYTHON, the programs of PACKAGE start the worker with that one, from
the path INSTALLED.
"""

from __future__ import annotations

import ast
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# What is started by its name: the worker, its backend for dnf 4, and the query of the packages.
ROOTS = ("worker.__main__", "worker.dnf4.backend", "host.rpmdb")
_PACKAGE = "dockmgrd"
_OLDEST = (3, 6)
_DATACLASSES = "_dataclasses"
_REPLACED = {"dataclasses": f"{_PACKAGE}.{_DATACLASSES}", "collections.abc": "typing"}
"""Modules, and what is imported in their place. Types of `typing` can be subscripted in 3.6."""
_MAIN = f"""\
# SPDX-License-Identifier: LGPL-2.1-or-later
import runpy

runpy.run_module("{_PACKAGE}.worker", run_name="__main__", alter_sys=True)
"""

Edit = tuple[int, int, str]
"""First byte, the byte after the last, and the text that replaces them."""


def rewrite(source: str) -> str:
    """Return the source for Python 3.6.

    :raises SyntaxError: when it has syntax that cannot be rewritten, such as `:=`.
    """
    data = source.encode()
    for start, end, text in sorted(set(_find_edits(source)), reverse=True):
        data = data[:start] + text.encode() + data[end:]
    rewritten = data.decode()
    for node in ast.walk(ast.parse(rewritten, feature_version=_OLDEST)):
        if isinstance(node, ast.arguments) and getattr(node, "posonlyargs", ()):
            raise SyntaxError("positional-only parameters are new in Python 3.8")
    return rewritten


def find_modules(package: Path) -> list[str]:
    """Names of the modules to rewrite, without the package's."""
    found: set[str] = set()
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        folder, _, _ = name.rpartition(".")
        waiting.append(
            f"{folder}.__init__" if folder and not name.endswith("__init__") else "__init__"
        )
        waiting += _find_imports(package, _locate(package, name).read_text(encoding="utf-8"))
    return sorted(found)


def write_worker(package: Path, folder: Path) -> None:
    """Write the rewritten modules, what they need of later versions, and the program."""
    for name in find_modules(package):
        source = _locate(package, name)
        target = folder / _PACKAGE / source.relative_to(package)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            text = rewrite(source.read_text(encoding="utf-8"))
        except SyntaxError as error:
            sys.exit(f"{source}:{error.lineno}: {error.msg}")
        target.write_text(text, encoding="utf-8")
    stand_in = Path(__file__).with_name("dataclasses36.py")
    shutil.copyfile(stand_in, folder / _PACKAGE / f"{_DATACLASSES}.py")
    (folder / "__main__.py").write_text(_MAIN, encoding="utf-8")


def set_python(package: Path, python: str, folder: str) -> None:
    """Make the package start its worker with another Python.

    :param folder: of the rewritten modules, on the host.
    """
    file = package / "host" / "package_python.py"
    text = file.read_text(encoding="utf-8")
    for name, value in (("_PYTHON", python), ("_MODULES", folder)):
        line = f'{name} = ""\n'
        if line not in text:
            sys.exit(f"{file}: {name} is not empty")
        text = text.replace(line, f"{name} = {json.dumps(value)}\n")
    file.write_text(text, encoding="utf-8")


def _locate(package: Path, name: str) -> Path:
    return package.joinpath(*name.split(".")).with_suffix(".py")


def _find_imports(package: Path, source: str) -> Iterator[str]:
    """The modules of the package that the source imports."""
    prefix = f"{_PACKAGE}."
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(prefix):
            base = str(node.module)[len(prefix) :]
            for alias in node.names:
                name = f"{base}.{alias.name}".strip(".")
                yield name if _locate(package, name).is_file() else base


def _find_edits(source: str) -> Iterator[Edit]:
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def find_span(node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first = starts[node.lineno - 1] + node.col_offset
        return first, starts[node.end_lineno - 1] + node.end_col_offset

    data = source.encode()
    for node in ast.walk(ast.parse(source)):
        for annotation in _list_annotations(node):
            start, end = find_span(annotation)
            text = " ".join(data[start:end].decode().split())
            yield start, end, repr(text) + _keep_lines(data[start:end])
        if isinstance(node, ast.ImportFrom):
            yield from _edit_import(node, *find_span(node))
        if isinstance(node, ast.With):
            spans = [
                (
                    find_span(item.context_expr)[0],
                    find_span(item.optional_vars or item.context_expr)[1],
                )
                for item in node.items
            ]
            yield from _edit_with(data, find_span(node)[0], spans)
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "usedforsecurity":  # new in Python 3.9
                    start, end = find_span(keyword)
                    start = data.rindex(b",", 0, start)
                    yield start, end, _keep_lines(data[start:end])


def _edit_with(data: bytes, start: int, items: list[tuple[int, int]]) -> Iterator[Edit]:
    """Take the parentheses around several context managers away: they are new in Python 3.9."""
    before = start + len(b"with"), items[0][0]
    after = items[-1][1], data.index(b":", items[-1][1])
    if not data[slice(*before)].strip() or b")" not in data[slice(*after)]:
        return
    yield (*before, " " + _keep_lines(data[slice(*before)]))
    for (_, end), (following, _) in zip(items, items[1:]):
        yield end, following, ", " + _keep_lines(data[end:following])
    yield (*after, _keep_lines(data[slice(*after)]))


def _edit_import(node: ast.ImportFrom, start: int, end: int) -> Iterator[Edit]:
    module = str(node.module)
    if module == "__future__":
        yield start, end, "pass"
    elif module in _REPLACED:
        lines = "\n" * (node.end_lineno - node.lineno if node.end_lineno else 0)
        yield start, end, f"from {_REPLACED[module]} import ({lines}{_join_names(node)})"
    elif module == "typing" and any(alias.name == "Protocol" for alias in node.names):
        others = _join_names(node, without="Protocol")
        # A protocol is for type checkers.
        yield start, end, (f"from typing import {others}; " if others else "") + "Protocol = object"


def _join_names(node: ast.ImportFrom, without: str = "") -> str:
    return ", ".join(
        alias.name + (f" as {alias.asname}" if alias.asname else "")
        for alias in node.names
        if alias.name != without
    )


def _list_annotations(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        names = node.args
        parameters = [*names.posonlyargs, *names.args, *names.kwonlyargs, names.vararg, names.kwarg]
        found = [each.annotation for each in parameters if each is not None]
        return [each for each in (*found, node.returns) if each is not None]
    return [node.annotation] if isinstance(node, ast.AnnAssign) else []


def _keep_lines(old: bytes) -> str:
    """As many line ends as there were, so that later lines keep their numbers."""
    return "\\\n" * old.count(b"\n")


if __name__ == "__main__":
    write_worker(Path(sys.argv[1]), Path(sys.argv[2]))
    if sys.argv[3:]:
        set_python(Path(sys.argv[1]), *sys.argv[3:])
