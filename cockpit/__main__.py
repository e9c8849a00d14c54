# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python3 -m cockpit FOLDER ARCHIVE...`: the page as Cockpit serves it.

The archives are those of packaging/rpm/bundled-npm.txt, as npm has them. Nothing is compiled: the
page's own modules are copied without comments, in which their types are, and without indentation.
Those of Preact and htm get the names that a browser can find.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cockpit import translations
from dockmgrd.messages import catalog

SOURCE = Path(__file__).parent
_COPIED = ("*.js", "views/*.js", "page.css", "manifest.json")
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
# Comments are lines of their own, ends of lines, and types anywhere. The license stays.
_COMMENT = re.compile(
    r"^[ ]*/\*\*(?:(?!\*/).)*\*/\n|/\*\*.*?\*/[ ]?"
    r"|^[ ]*//(?! SPDX)[^\n]*\n|(?<=[;,{(])[ ]+//[^\n]*",
    re.S | re.M,
)
_INDENTATION = re.compile(r"^[ ]+", re.M)
# A browser resolves neither a name without its suffix nor that of a package, and Cockpit's content
# security policy forbids the inline import map that would.
_IMPORT = re.compile(r"((?:from|import)\s+['\"])([^'\"]+)(['\"])")


def build(
    folder: Path,
    archives: Sequence[Path],
    messages: Mapping[str, str],
    *,
    with_comments: bool = False,
) -> None:
    """Put the page into the folder, which is emptied first.

    `messages` are the service's templates by their ids. Raises KeyError when an archive lacks
    a file.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pattern in _COPIED:
        for path in SOURCE.glob(pattern):
            (folder / path.relative_to(SOURCE)).parent.mkdir(exist_ok=True)
            text = path.read_text()
            if path.suffix == ".js" and not with_comments:
                text = strip_module(text)
            (folder / path.relative_to(SOURCE)).write_text(text)
    for archive in archives:
        with tarfile.open(archive) as members:
            _take(members, archive.name, folder)
    templates = json.dumps(dict(sorted(messages.items())), ensure_ascii=False, indent=1)
    header = "// The service's messages by their ids.\n/** @type {Record<string, string>} */\n"
    (folder / "messages.js").write_text(f"{header}export const TEMPLATES = {templates};\n")
    _write_index(folder)
    translations.write(folder, messages)


def strip_module(text: str) -> str:
    """The module without comments and indentation: a fourth of what a browser would load."""
    return _INDENTATION.sub("", _COMMENT.sub("", text))


def _take(members: tarfile.TarFile, archive: str, folder: Path) -> None:
    if "patternfly" in archive:
        _write_styles(members, folder)
    elif archive.startswith("preact"):
        _copy_modules(members, "package/src/", folder / "preact")
        hooks = _read(members, "package/hooks/src/index.js")
        (folder / "preact" / "hooks.js").write_text(_resolve(hooks))
        _copy(members, "package/LICENSE", folder / "preact" / "LICENSE")
    elif archive.startswith("htm"):
        for name in ("index", "build", "constants"):
            text = _resolve(_read(members, f"package/src/{name}.mjs"))
            target = folder / "htm" / f"{name}.js"
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
        _copy(members, "package/LICENSE", folder / "htm" / "LICENSE")


def _write_styles(members: tarfile.TarFile, folder: Path) -> None:
    names = (SOURCE / "components.txt").read_text().splitlines()
    parts = [_read(members, "package/patternfly-base.css")]
    for name in names:
        if not name.startswith("#"):
            folder_name, _, file = name.partition("/")
            file = file or re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
            parts.append(_read(members, f"package/components/{folder_name}/{file}.css"))
    # The shell brings the fonts.
    styles = _FONT_FACE.sub("", "\n".join(parts))
    with (folder / "patternfly.css.gz").open("wb") as stream:
        stream.write(gzip.compress(styles.encode(), compresslevel=9, mtime=0))


def _copy_modules(members: tarfile.TarFile, prefix: str, target: Path) -> None:
    for name in members.getnames():
        if name.startswith(prefix) and name.endswith(".js"):
            path = target / name[len(prefix) :]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_resolve(_read(members, name)))


def _resolve(module: str) -> str:
    """The module with names in its imports that a browser can load."""

    def rename(match: re.Match[str]) -> str:
        before, name, after = match.groups()
        name = re.sub(r"\.mjs$", "", "./index" if name == "preact" else name)
        return f"{before}{name if name.endswith('.js') else name + '.js'}{after}"

    return _IMPORT.sub(rename, module)


def _write_index(folder: Path) -> None:
    """Have the browser load all modules at once, without looking into each for the next ones."""
    modules = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.js"))
    links = "".join(f'  <link rel="modulepreload" href="{name}">\n' for name in modules)
    page = (SOURCE / "index.html").read_text()
    (folder / "index.html").write_text(page.replace("</head>", f"{links}</head>"))


def _read(members: tarfile.TarFile, name: str) -> str:
    stream = members.extractfile(name)
    if stream is None:
        raise KeyError(name)
    return stream.read().decode()


def _copy(members: tarfile.TarFile, name: str, target: Path) -> None:
    target.write_text(_read(members, name))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m cockpit", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the page goes; emptied first")
    parser.add_argument("archives", type=Path, nargs="+", metavar="ARCHIVE")
    parser.add_argument("--with-comments", action="store_true", help="for a check of the types")
    arguments = parser.parse_args()
    messages = {each.id: each.english for each in catalog.load().values()}
    build(arguments.folder, arguments.archives, messages, with_comments=arguments.with_comments)


if __name__ == "__main__":
    main()
