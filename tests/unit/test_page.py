# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Cockpit page: its files, its package, its translations, its size."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from cockpit import translations
from cockpit.__main__ import build, strip_module
from dockmgrd import errors
from dockmgrd.enums import JobState, Kind, Stage
from dockmgrd.job.probe.verdicts import Verdict

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "cockpit"
MAX_CODE_BYTES = 80_000
PAGE = "/usr/share/cockpit/dockmgr"


def _listed() -> list[str]:
    [rpm] = (ROOT / "dist").glob("cockpit-dockmgr-[0-9]*.noarch.rpm")
    command = ["rpm", "--nosignature", "-qp", "--list", str(rpm)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_package_holds_the_page() -> None:
    listed = set(_listed())
    modules = {str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.js")}
    names = modules | {"index.html", "manifest.json", "page.css", "patternfly.css.gz"}
    names |= {
        "messages.js",
        "po.zh_CN.js",
        "po.manifest.zh_CN.js",
        "preact/index.js",
        "htm/index.js",
    }
    assert {f"{PAGE}/{name}" for name in names} <= listed
    assert "/usr/share/applications/org.dockmgr1.desktop" in listed
    for component in ("org.dockmgr1", "org.dockmgr1.cockpit"):
        assert f"/usr/share/metainfo/{component}.metainfo.xml" in listed
    assert "/usr/share/icons/hicolor/scalable/apps/org.dockmgr1.svg" in listed
    assert not [path for path in listed if path.endswith((".map", ".mjs", ".d.ts"))]


def test_every_message_is_translated() -> None:
    messages = translations.find_messages()
    for catalog in (ROOT / "po" / "page").glob("*.po"):
        assert translations.read_catalog(catalog).keys() == messages, catalog
        check = ["msgfmt", "--check-format", "--output-file=/dev/null", str(catalog)]
        subprocess.run(check, check=True)


def test_translations_keep_the_fields() -> None:
    for catalog in (ROOT / "po" / "page").glob("*.po"):
        for message, translation in translations.read_catalog(catalog).items():
            fields = [sorted(re.findall(r"\$\d", text)) for text in (message, translation)]
            assert fields[0] == fields[1], message


def test_templates_of_the_service_are_translated(tmp_path: Path) -> None:
    translations.write(tmp_path, {"engine": "Engine"})
    script = (tmp_path / "po.zh_CN.js").read_text()
    assert script.startswith("cockpit.locale({")
    assert '"Engine": [\nnull,\n"Docker 引擎"\n]' in script


def _find_words(table: str) -> set[str]:
    """The keys of one of the tables of the API's words."""
    text = (SOURCES / "sentences.js").read_text()
    found = re.search(rf"^const {table} = \{{\n(.*?)^\}};", text, re.M | re.S)
    assert found is not None
    return set(re.findall(r'([\w-]+)"?: (?:\(\) =>|RAISE)', found[1]))


def test_page_words_every_value_of_the_api() -> None:
    """A value without a text would be shown as it is on the bus."""
    for table, values in (
        ("KINDS", Kind),
        ("STATES", JobState),
        ("STAGES", Stage),
        ("VERDICTS", Verdict),
    ):
        assert _find_words(table) == {each.value for each in values}, table
    # What no call of the page can cause, and what only the service's own sentence explains.
    without = {"Internal", "UnknownObject", "UnknownInterface", "UnknownMethod", "UnknownProperty"}
    without |= {"PropertyReadOnly", "HostUnreachable", "RemoteError"}
    names = {each.__name__ for each in errors.DockmgrError.__subclasses__()} - without
    assert names <= _find_words("ERRORS")


def test_page_stays_small(tmp_path: Path) -> None:
    """What a browser loads of the code that is ours."""
    build(tmp_path, [], {})
    sizes = {
        path.name: (tmp_path / path.relative_to(SOURCES)).stat().st_size
        for path in (*SOURCES.rglob("*.js"), SOURCES / "page.css")
    }
    sizes["index.html"] = (SOURCES / "index.html").stat().st_size  # the build adds a list of files
    assert len(sizes) > 20
    assert min(sizes.values()) > 100
    assert 50_000 < sum(sizes.values()) < MAX_CODE_BYTES


@pytest.mark.parametrize(
    ("source", "stripped"),
    [
        (
            "// SPDX: X\n// What it is.\nf();\n",
            "// SPDX: X\nf();\n",
        ),
        (
            "/**\n * Words\n * @param {string} a\n */\nfunction f(a) {\n",
            "function f(a) {\n",
        ),
        ("  const a = /** @type {any} */ (b);  // why\n", "const a = (b);\n"),
        ("f(1, // first\n  2);\n", "f(1,\n2);\n"),
        ("  /** @type {any} */ (a).b();\n  c();\n  /** d */\n  e();\n", "(a).b();\nc();\ne();\n"),
        ('const url = "https://a.example"; f(`http://${url}`);\n',) * 2,
        ("const re = /[/]{2} x/;\n",) * 2,
    ],
)
def test_comments_are_left_out(source: str, stripped: str) -> None:
    assert strip_module(source) == stripped


def test_manifest_is_found_by_search() -> None:
    manifest = json.loads((SOURCES / "manifest.json").read_text())
    [item] = manifest["menu"].values()
    assert "mirror" in item["keywords"][0]["matches"]
    assert "preload" not in manifest, "it would start the daemon at each login"


def test_bundled_packages_are_declared() -> None:
    pinned = (ROOT / "packaging" / "rpm" / "bundled-npm.txt").read_text().splitlines()
    [rpm] = (ROOT / "dist").glob("cockpit-dockmgr-[0-9]*.noarch.rpm")
    command = ["rpm", "--nosignature", "-qp", "--provides", str(rpm)]
    provided = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name, version, digest in map(str.split, pinned):
        assert f"bundled(npm({name})) = {version}" in provided
        assert re.fullmatch("[0-9a-f]{64}", digest)
