# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each entry of the catalog says when it was checked; `make check-links` says what to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.catalog import mirrors as candidates
from dockmgrd.catalog.sources import Catalog
from links import check_mirrors, check_sources
from unit.job.probe.test_measure_packages import NOW, make_files, serve
from unit.registry_server import Registry, serving

TODAY = "2026-11-26"
STABLE = "docker-ce/linux/centos/9/x86_64/stable"


def test_all_entries_have_a_date_and_an_origin(tmp_path: Path) -> None:
    for source in Catalog.load(admin=tmp_path).sources.values():
        assert source.checked, source.name
        assert source.source, source.name
    for mirror in candidates.load(admin=tmp_path).known:
        assert mirror.checked, mirror.url
        assert mirror.source, mirror.url


@pytest.mark.parametrize("date", ["yesterday", "2026-13-01", "2026-2-3", "26-11-2026"])
def test_another_date_is_refused(tmp_path: Path, date: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"sources: {{own: {{prefix: 'https://m.example', checked: '{date}'}}}}")
    [problem] = Catalog.load(admin=tmp_path).problems
    assert "must be a date such as" in str(problem)
    path.write_text(f"mirrors: {{'https://m.example': {{checked: '{date}'}}}}")
    [problem] = candidates.load(admin=tmp_path).problems
    assert "must be a date such as" in str(problem)


def make_catalog(folder: Path, **prefixes: str) -> Catalog:
    entries = "".join(f"  {name}: {{prefix: '{url}'}}\n" for name, url in prefixes.items())
    key = f"key: {{file: /key, fingerprint: {'A' * 40}}}\n"
    inside = "  inside: {prefix: 'http://inside.example', intranet: true}\n"
    (folder / "sources.yaml").write_text(f"{key}sources:\n{entries}{inside}")
    return Catalog.load(folder, folder / "none")


async def test_sources(tmp_path: Path) -> None:
    good = {f"{STABLE}/{path}": body for path, body in make_files().items()}
    old = {f"{STABLE}/{path}": body for path, body in make_files(NOW - 1).items()}
    async with serve(good) as first, serve(old) as second:
        catalog = make_catalog(
            tmp_path,
            good=f"{first}/docker-ce",
            old=f"{second}/docker-ce",
            moved=f"{first}/docker",
        )
        lines = await check_sources(catalog, TODAY, 30)
    by_name = dict(line.split(": ", 1) for line in lines)
    assert by_name["good"] == f"works; set checked: {TODAY}, source: make check-links"
    assert by_name["old"].startswith("out of date")
    assert "answered 404; try from another network, then remove it" in by_name["moved"]
    assert by_name["inside"].startswith("not tried")


async def test_mirrors(tmp_path: Path) -> None:
    image = "images: {docker.io: {image: 'library/hello-world:latest'}}\n"
    async with serving(Registry()) as [url]:
        (tmp_path / "mirrors.yaml").write_text(
            f"{image}mirrors:\n  {url.rstrip('/')}: {{}}\n  http://127.0.0.1:1: {{}}\n"
        )
        known = candidates.load(tmp_path, tmp_path / "none")
        lines = await check_mirrors(known, TODAY, 30)
    assert lines[0] == f"{url}: works; set checked: {TODAY}, source: make check-links"
    assert "refuses connections; try from another network" in lines[1]
