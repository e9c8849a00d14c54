# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalog of sources: its own files, files of the administrator, and errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.catalog.sources import Catalog, Sources
from dockmgrd.errors import InvalidArgs

DOCKERS_FINGERPRINT = "060A61C51B558A7F742B77AAC52FEB6B621E9F35"
OTHER_FINGERPRINT = "A" * 40


@pytest.fixture
def admin(tmp_path: Path) -> Path:
    return tmp_path


def load(admin: Path, **files: str) -> Catalog:
    for name, text in files.items():
        (admin / f"{name}.yaml").write_text(text)
    return Catalog.load(admin=admin)


def test_files_of_the_package(admin: Path) -> None:
    catalogue = load(admin)
    assert catalogue.problems == ()
    assert catalogue.get_source("official").prefix == "https://download.docker.com"
    assert catalogue.get_source("aliyun").prefix == "https://mirrors.aliyun.com/docker-ce"
    for source in catalogue.sources.values():
        assert source.key.file == Path("/usr/share/dockmgrd/keys/docker-ce-rpm.asc")
        assert source.key.fingerprint == DOCKERS_FINGERPRINT
        assert source.prefix.startswith("http://" if source.intranet else "https://")
        assert source.title
        assert source.region


def test_intranet_sources_are_marked(admin: Path) -> None:
    catalogue = load(
        admin,
        own="sources: {own: {prefix: 'http://m.lan/d', intranet: true}, tuna: {intranet: false}}",
    )
    inside = [name for name, source in catalogue.sources.items() if source.intranet]
    assert sorted(inside) == [
        "aliyun-intranet",
        "huaweicloud-intranet",
        "own",
        "tencent-intranet",
        "volcengine-intranet",
    ]


def test_an_unknown_name_is_answered_with_the_known_ones(admin: Path) -> None:
    with pytest.raises(InvalidArgs, match=r"'nowhere'.*aliyun.*official"):
        load(admin).get_source("nowhere")


def test_a_source_is_known_by_its_urls(admin: Path) -> None:
    catalog = load(admin)
    path = "linux/centos/9/x86_64/stable"
    assert catalog.find_name(f"https://mirrors.aliyun.com/docker-ce/{path}") == "aliyun"
    assert catalog.find_name(f"https://mirrors.aliyun.com/docker-ce-of-others/{path}") == ""
    assert catalog.find_name("") == ""


def test_one_field_goes_over_what_was_there(admin: Path) -> None:
    key = f"{{file: /etc/pki/own, fingerprint: {OTHER_FINGERPRINT}}}"
    catalogue = load(admin, own=f"sources:\n  official: {{key: {key}}}\n")
    official = catalogue.get_source("official")
    assert official.key.file == Path("/etc/pki/own")
    assert official.key.fingerprint == OTHER_FINGERPRINT
    assert official.prefix == "https://download.docker.com"
    assert catalogue.get_source("aliyun").key.fingerprint == DOCKERS_FINGERPRINT


def test_a_new_source_takes_the_common_key(admin: Path) -> None:
    catalogue = load(admin, own="sources: {own: {prefix: 'http://mirror.lan/docker/'}}")
    own = catalogue.get_source("own")
    assert (own.title, own.prefix, own.region) == ("own", "http://mirror.lan/docker", "")
    assert own.key.fingerprint == DOCKERS_FINGERPRINT


def test_the_common_key_is_a_field_like_any_other(admin: Path) -> None:
    catalogue = load(admin, own=f"key: {{fingerprint: '{OTHER_FINGERPRINT.lower()}'}}")
    assert catalogue.get_source("official").key.fingerprint == OTHER_FINGERPRINT
    assert catalogue.get_source("official").key.file.name == "docker-ce-rpm.asc"


def test_files_go_over_each_other_by_name(admin: Path) -> None:
    catalogue = load(
        admin,
        b="sources: {official: {title: second}}",
        a="sources: {official: {title: first, region: x}}",
    )
    assert catalogue.get_source("official").title == "second"
    assert catalogue.get_source("official").region == "x"


def test_a_scalar_is_the_text_that_stands_there(admin: Path) -> None:
    catalogue = load(admin, own="sources: {official: {region: no, title: 2024-01-01}}")
    assert catalogue.get_source("official").region == "no"
    assert catalogue.get_source("official").title == "2024-01-01"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("sources:\n  a: b: c", 2, "mapping values are not allowed"),
        ("sources:\n  a: b", 2, "a mapping is expected"),
        ("sources:\n  official:\n    colour: red", 3, "'colour' is not one of"),
        ("sources:\n  official:\n    intranet: maybe", 3, "intranet must be true or false"),
        ("source:\n  official: {}", 2, "'source' is not one of"),
        ("sources:\n  Own: {prefix: https://m.example}", 2, "is not a valid name"),
        ("sources:\n  own:\n    title: x", 3, "'own' has no prefix"),
        ("sources:\n  own: {prefix: mirror.example}", 2, "must be a URL"),
        ("sources:\n  own: {prefix: 'ftp://m.example'}", 2, "must be a URL"),
        ("sources:\n  own: {prefix: 'https://m.example/?a=b'}", 2, "must be a URL"),
        ("sources:\n  own: {prefix: 'https://['}", 2, "must be a URL"),
        ("sources:\n  own: {prefix: [https://m.example]}", 2, "a list is not allowed"),
        ("sources:\n  own: {prefix: {a: b}}", 2, "a text is expected"),
        ("sources: {}\nsources: {}", 2, "twice"),
        ("key:\n  file: https://m.example/gpg", 2, "absolute path"),
        ("key:\n  fingerprint: 621E9F35", 2, "40 hexadecimal digits"),
        ("\n\n- a", 3, "a list is not allowed"),
        ("&a\nkey: *a", 1, "contains itself"),
        ("? [a]\n: b", 1, "key must be a text"),
    ],
)
def test_a_malformed_file_is_left_out_whole(admin: Path, text: str, line: int, reason: str) -> None:
    catalogue = load(admin, a="sources: {official: {title: kept}}", b=text, c="sources: {}")
    [problem] = map(str, catalogue.problems)
    assert problem.startswith(f"{admin / 'b.yaml'}, line {line}: ")
    assert reason in problem
    assert catalogue.get_source("official").title == "kept"
    assert set(catalogue.sources) == set(load(admin, b="").sources)


def test_malformed_files_are_ignored_completely(admin: Path) -> None:
    catalogue = load(admin, a="sources:\n  official: {title: new}\n  own: {}\n")
    assert catalogue.get_source("official").title == "Docker"


def test_a_file_that_cannot_be_read(admin: Path) -> None:
    (admin / "a.yaml").mkdir()
    (admin / "b.yaml").write_bytes(b"\xff\xfe\xfa")
    problems = [str(each) for each in load(admin).problems]
    assert "cannot be read" in problems[0]
    assert "not UTF-8" in problems[1]


def test_no_folder_of_the_admin_is_no_problem(admin: Path) -> None:
    assert Catalog.load(admin=admin / "none").problems == ()


def test_sources_follow_the_admins_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockmgrd.paths.ADMIN_SOURCES", tmp_path)
    sources = Sources()
    first = sources.current()
    assert "official" in first.sources
    assert sources.current() is first
    (tmp_path / "own.yaml").write_text("sources: {own: {prefix: https://own.example/docker-ce}}\n")
    changed = sources.current()
    assert changed is not first
    (tmp_path / "own.yaml").unlink()
    assert sources.current() is not changed
