# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of HACKING.md that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dockmgrd"
IRREGULAR_PARTICIPLES = frozenset(
    (
        *("begun", "broken", "chosen", "drawn", "found", "given", "held", "hidden", "kept"),
        *("known", "left", "lost", "made", "meant", "met", "said", "sent", "shown"),
        *("taken", "told", "understood"),
    )
)
ENDS_IN_ED = frozenset(("need", "feed", "seed", "speed", "embed", "exceed"))
PARTICIPLES_ALLOWED: frozenset[str] = frozenset()
# Modules that import inside a function, and what that saves or makes possible.
LAZY_IMPORTS = {
    "sd.protocols": "programs that record nothing do not load the journal's library",
    "host.rpmdb": "rpm's library takes 60 ms to load, and most jobs need only the names",
    "host.yamltree": "most hosts have no file of YAML, and its library takes 15 ms",
    "host.registry_folders": "most hosts have no hosts.toml file",
    "job.mirrors.verification": "a plain change does not load TLS",
    "worker.__main__": "dnf may print and set up signals as soon as it is loaded",
}
NO_MISTAKES = ("ans", "assertIn", "te", "ue", "fpr", "aas", "datas", "stauts", "instal")
LONGEST_FILE = 300
LONGEST_FUNCTION = 50

# Who may import what is not ours and not Python's own.
OUTSIDE = {
    "dbus_next": r"bus\.dbusnext",
    "dnf": r"worker\..*",
    "hawkey": r"worker\..*",
    "libdnf": r"worker\..*",
    "libdnf5": r"worker\..*",
    "rpm": r"worker\..*|host\.rpmdb",
    "systemd": r"sd\.protocols",
    "yaml": r"host\.yamltree",
}


# Which folders the modules of a folder may import from, beside their own; "core" is the root.
LAYERS = {
    "core": (),
    "bus": ("core",),
    "host": ("core", "bus"),
    "catalog": ("core", "host"),
    "worker": ("core",),
    "daemon": ("core", "bus", "host", "catalog"),
    "job": ("core", "bus", "host", "catalog", "worker.protocol"),
    "cli": ("core", "bus"),
    "watch": ("core", "bus", "host", "catalog"),
}
FOLDERS_OF_CORE = {"messages", "options", "sd"}
USERS_OF_THE_BUS_IN_HOST = {"host.systemd", "host.command_line"}
MAX_MODULES_IN_ROOT = 12


@dataclass(frozen=True)
class Module:
    """A module of ours: `name` without the package's, and the full names that it imports."""

    name: str
    path: Path
    imports: frozenset[str]

    @property
    def ours(self) -> set[str]:
        """The modules of ours that it imports."""
        prefix = "dockmgrd."
        return {name[len(prefix) :] for name in self.imports if name.startswith(prefix)}


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                path = ROOT.joinpath(*full.split("."))
                is_module = path.with_suffix(".py").is_file() or path.is_dir()
                yield full if is_module else node.module


def _modules() -> Iterator[Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield Module(name, path, frozenset(_imports(ast.parse(path.read_text()))))


MODULES: Mapping[str, Module] = {module.name: module for module in _modules()}


def _run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


TOP_LEVEL = {
    *(".ci", ".editorconfig", ".fmf", ".github", ".gitignore", ".packit.yaml"),
    *("CONTRIBUTING.md", "HACKING.md", "LICENSE", "Makefile", "NEWS.md"),
    *("README.md", "README.zh_CN.md", "SECURITY.md", "pyproject.toml", "setup.cfg"),
    *("ansible", "bench", "cockpit", "completions", "dbus", "dockmgrd", "docs", "man"),
    *("packaging", "plans", "po", "polkit", "systemd", "tests"),
}


def test_ruff() -> None:
    _run("ruff", "check", "--quiet", ".")


def test_format() -> None:
    _run("ruff", "format", "--check", "--quiet", ".")


def test_types() -> None:
    _run("mypy")


def test_spelling() -> None:
    """In everything but the translations and what is written in Chinese."""
    files = subprocess.run(
        ["git", "ls-files", ":!*.po", ":!*.pot", ":!*zh_CN*", ":!LICENSE", ":!*.asc"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert files
    _run("codespell_lib", "--ignore-words-list", ",".join(NO_MISTAKES), *files)


def test_size() -> None:
    sizes = {name: len(module.path.read_text().splitlines()) for name, module in MODULES.items()}
    for name, module in MODULES.items():
        for node in ast.walk(ast.parse(module.path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{name}.{node.name} has {length} lines"
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_the_top_level_holds_what_belongs_there() -> None:
    """A file of a tool or of a person is easily committed with everything else."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert {name.split("/")[0] for name in listed.splitlines()} == TOP_LEVEL


def test_license_of_each_file() -> None:
    files = [path for folder in ("dockmgrd", "tests") for path in (ROOT / folder).rglob("*.py")]
    missing = [
        str(path)
        for path in files
        if not path.read_text().startswith("# SPDX-License-Identifier: LGPL-2.1-or-later\n")
    ]
    assert files
    assert not missing


def test_packages_hold_no_code() -> None:
    for name, module in MODULES.items():
        if name.endswith("__init__"):
            body = ast.parse(module.path.read_text()).body
            assert all(isinstance(node, (ast.Expr, ast.Assign)) for node in body), name


def test_no_import_cycles() -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        if name not in done:
            for imported in sorted(MODULES[name].ours & MODULES.keys()):
                visit(imported, (*path, name))
            done.add(name)

    for name in MODULES:
        visit(name, ())


def test_direction_of_imports() -> None:
    wrong = [
        f"{module.name} → {imported}"
        for module in MODULES.values()
        for imported in sorted(module.ours & MODULES.keys())
        if not _may_import(module.name, imported)
    ]
    assert wrong == []


def _folder(name: str) -> str:
    """The folder at the top of the package in which a module lies; "core" for its root."""
    folder, inside, _ = name.partition(".")
    if folder in FOLDERS_OF_CORE:
        return "core"
    return folder if inside else "core"


def _may_import(importer: str, imported: str) -> bool:
    """Whether the layers let `importer` use `imported`."""
    folder, other = _folder(importer), _folder(imported)
    if folder == other:
        return True
    if folder == "host" and other == "bus":
        return importer in USERS_OF_THE_BUS_IN_HOST
    return other in LAYERS[folder] or imported in LAYERS[folder]


def test_every_folder_has_its_layer() -> None:
    folders = {_folder(name) for name in MODULES}
    assert folders == LAYERS.keys()


def test_the_root_stays_small() -> None:
    root = [name for name in MODULES if "." not in name]
    assert len(root) <= MAX_MODULES_IN_ROOT, root


def test_functions_are_not_named_by_a_participle() -> None:
    wrong = [
        f"{name}.{node.name}"
        for name, module in MODULES.items()
        for node in ast.walk(ast.parse(module.path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and not _is_property(node)
        and _is_participle(node.name)
    ]
    assert [each for each in wrong if each.rpartition(".")[2] not in PARTICIPLES_ALLOWED] == []


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(each) for each in node.decorator_list)


def _is_participle(name: str) -> bool:
    word = name.strip("_")
    if "_" in word:
        return False
    return word in IRREGULAR_PARTICIPLES or (word.endswith("ed") and word not in ENDS_IN_ED)


def test_imports_are_at_the_top() -> None:
    lazy = [
        f"{name}:{node.lineno}"
        for name, module in MODULES.items()
        for function in ast.walk(ast.parse(module.path.read_text()))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert sorted({each.rpartition(":")[0] for each in lazy}) == sorted(LAZY_IMPORTS), lazy


def test_imports_from_outside() -> None:
    wrong = [
        f"{module.name} → {name}"
        for module in MODULES.values()
        for name in sorted({name.partition(".")[0] for name in module.imports} - {"dockmgrd"})
        if name not in sys.stdlib_module_names
        and not re.fullmatch(OUTSIDE.get(name, ""), module.name)
    ]
    assert wrong == []


def test_questions_about_paths_have_an_answer() -> None:
    """Before Python 3.14, `Path.exists()` and its like raise in a folder that is closed to us.

    The functions of os.path answer False there.
    """
    questions = {"exists", "is_dir", "is_file", "is_mount", "is_symlink"}
    raising = {
        f"{module.name}, line {node.lineno}"
        for module in MODULES.values()
        for node in ast.walk(ast.parse(module.path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in questions
        and not node.keywords  # entries of os.scandir() know it if links are not followed
        and ast.unparse(node.func.value) != "os.path"
    }
    assert raising == set()


READERS_OF_SURE_FILES = {
    *("bus.introspection", "bus.standard", "host.watch_config"),  # what packages and systemd made
    *("host.obstacles", "host.processes", "job.packages.mounts"),  # /proc
    *("host.atomicfile", "host.adminconfig", "job.packages.drop_ins", "job.packages.repofile"),
}
"""The modules that read files of the kernel or of a package, or look first what a file is."""


def test_files_of_others_may_be_anything() -> None:
    """A FIFO in the place of a file would block its reader; see `host.regular_files`."""
    readers = {
        module.name
        for module in MODULES.values()
        if not module.name.startswith(("worker.", "cli."))
        for node in ast.walk(ast.parse(module.path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"read_text", "read_bytes"}
        and ast.unparse(node.value) != "regular_files"
    }
    assert readers == READERS_OF_SURE_FILES
