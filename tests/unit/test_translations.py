# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalogs of translations, and messages of the service translated by their ids."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dockmgrd.catalog.platforms import Platform, find_tree
from dockmgrd.cli.i18n import translation
from dockmgrd.cli.i18n.locales import list_languages
from dockmgrd.cli.i18n.translation import translate_message, word_message
from dockmgrd.cli.i18n.words import STAGES, translate_word
from dockmgrd.enums import JobState, Stage
from dockmgrd.errors import DockmgrError, RemoteError
from dockmgrd.host import units
from dockmgrd.messages import catalog, client, dnf, jobs, packages, words
from dockmgrd.messages.text import Template, Text, fields_of, foreign_text
from unit.catalogues import compile_into

ROOT = Path(__file__).parents[2]
TEMPLATES = catalog.load()


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_into(tmp_path_factory.mktemp("locale"))


@pytest.fixture
def chinese(locales: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TEXTDOMAINDIR", str(locales))
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    translation._load_catalog.cache_clear()
    yield
    translation._load_catalog.cache_clear()


def test_catalogs_are_up_to_date_and_complete(tmp_path: Path) -> None:
    for name in ("dockmgrd.pot", "zh_CN.po"):
        shutil.copy(ROOT / "po" / name, tmp_path)
    command = [ROOT / "po" / "update", tmp_path]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    assert done.stdout == "", "translate these in po/zh_CN.po"
    for name in ("dockmgrd.pot", "zh_CN.po"):
        current = (tmp_path / name).read_text(encoding="utf-8")
        assert (ROOT / "po" / name).read_text(encoding="utf-8") == current, "run po/update"


def make_text(template: Template, value: str) -> Text:
    return template(**dict.fromkeys(fields_of(template.english), value))


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_message_is_chinese_with_its_values_unchanged(name: str) -> None:
    template = TEMPLATES[name]
    value = "running {0} %s proxy; the job"
    text = make_text(template, value)
    translated = translate_message(text.to_plain())
    count = len(fields_of(template.english))
    assert translated.count(value) >= count
    words = re.findall(r"[^\W\d_]", template.english.format_map(dict.fromkeys(text.args, "")))
    assert not words or translated != str(text)


def make_sentences_with_words() -> Iterator[tuple[Text, str]]:
    """Yield sentences whose arguments are words of ours, and that word in English."""
    for stage in Stage:
        yield jobs.JOB_INTERRUPTED(job="1", stage=words.describe_stage(stage.value)), stage.value
        yield jobs.JOB_MUST_NOT_STOP(job="1", stage=words.describe_stage(stage.value)), stage.value
    for state in JobState:
        described = words.describe_state(state.value)
        yield jobs.JOB_HAS_ENDED(job="1", state=described), str(described)
        yield client.JOB_ENDED_AS(job="1", state=described), str(described)
    for method, word in words.GERUNDS.items():
        yield units.make_failure(method, "1", "2").text, word.english
    for method, word in words.VERBS.items():
        yield units.make_refusal(method, ["1"], RemoteError("x", "2")).text, f" {word.english} "
    with pytest.raises(DockmgrError) as unsupported:
        find_tree(Platform("", "", ""))
    yield unsupported.value.text, "this system"


@pytest.mark.usefixtures("chinese")
def test_words_of_ours_in_sentences_are_translated() -> None:
    for text, word in make_sentences_with_words():
        assert word in str(text)
        assert word not in translate_message(text.to_plain()).partition("journalctl")[0]


def test_word_of_a_newer_version_stays_as_it_is() -> None:
    assert words.describe_stage("dreaming") == "dreaming"
    assert words.describe_state("asleep") == "asleep"


@pytest.mark.usefixtures("chinese")
def test_no_value_is_ever_translated() -> None:
    """Not even one that is a msgid, and however deep it is in a message."""
    for english in (each.english for each in TEMPLATES.values()):
        for value in (english, "proxy", "running", "Job"):
            inner = dnf.PACKAGE_AND_REASON(package=value, reason=foreign_text(value))
            text = dnf.UNINSTALL_WOULD_REMOVE(packages=[inner, inner])
            assert translate_message(text.to_plain()).count(value) == 4


@pytest.mark.usefixtures("chinese")
def test_messages_in_messages_and_lists() -> None:
    reason = dnf.NEEDS_PACKAGE(package="runc-1")
    removal = dnf.PACKAGE_AND_REASON(package="buildah-1", reason=reason)
    text = dnf.INSTALL_WOULD_REMOVE(packages=[removal, removal]).with_remedy(
        dnf.AGREE_TO_REPLACE(), "dnf remove runc"
    )
    assert translate_message(text) == (
        "Docker 的软件包与已安装的软件包冲突。安装将会移除 "
        "buildah-1（它依赖 runc-1）、buildah-1（它依赖 runc-1）。"
        "请同意移除（replace-conflicting），或自行移除冲突的软件包。"
    )
    assert word_message(text).command == "dnf remove runc"


@pytest.mark.usefixtures("chinese")
def test_messages_of_other_versions_stay_english() -> None:
    """Version 0.1.0 has no ids, and a later one may have other ids and arguments."""
    assert translate_message("There is no space left; free some.").startswith("There is")
    assert translate_message({"id": "of-the-future", "text": "New.", "args": {}}) == "New."
    assert translate_message({"id": "no-jobs", "text": "x"}) == "还没有任何任务。"
    other = {"id": "job-canceled", "text": "Job 1 was canceled.", "args": {"number": 1}}
    assert translate_message(other) == "Job 1 was canceled."
    old = word_message({"text": "It is wrong.", "remedy": "systemctl reload docker"})
    assert (old.sentence, old.remedy) == ("It is wrong.", "")
    assert old.command == "systemctl reload docker"
    assert translate_word(STAGES, "of-the-future") == "of-the-future"


def test_english_is_what_the_service_says() -> None:
    text = jobs.JOB_IS_RUNNING(job="1", kind="install", since="12:00").with_remedy(
        jobs.WAIT_OR_CANCEL(), "dockmgrctl follow 1"
    )
    wording = word_message(text.to_plain())
    assert str(wording) == str(text)
    assert (wording.sentence, wording.remedy) == (text.sentence, "Wait until it ends or cancel it.")
    assert str(word_message(client.NO_JOBS())) == "There are no jobs yet."
    assert packages.MORE_NAMES(count=3).sentence == "3 more"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"LANG": "C"}, []),
        ({"LANG": "POSIX", "LANGUAGE": "zh_CN"}, []),
        ({"LANG": "en_US.UTF-8"}, []),
        ({"LANG": "C.UTF-8"}, []),
        ({"LANG": "C.UTF-8", "LANGUAGE": "zh_CN"}, ["zh_CN", "zh"]),
        ({"LANG": "zh_CN.UTF-8"}, ["zh_CN", "zh"]),
        ({"LANG": "zh_CN.GB18030@x"}, ["zh_CN", "zh"]),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, []),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, []),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8", "LC_ALL": ""}, ["zh_CN", "zh"]),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "de:en:fr"}, ["de", "de"]),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "../../tmp/x"}, []),
    ],
)
def test_language(environment: Mapping[str, str], expected: list[str]) -> None:
    assert list(list_languages(environment)) == expected


def run_python(code: str, locales: Path, language: str) -> str:
    more = {"LC_ALL": language, "TEXTDOMAINDIR": str(locales), "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **more},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout.strip()


_SAY_NO_JOBS = (
    "import sys; from dockmgrd.cli.i18n.translation import translate_message; "
    "from dockmgrd.messages.client import NO_JOBS; "
    "print(translate_message(NO_JOBS()), 'dockmgrd.messages.catalog' in sys.modules)"
)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("C", "There are no jobs yet. False"), ("zh_CN.UTF-8", "还没有任何任务。 True")],
)
def test_english_loads_no_templates(locales: Path, language: str, expected: str) -> None:
    assert run_python(_SAY_NO_JOBS, locales, language) == expected


@pytest.mark.parametrize("content", [b"", b"\xde\x12\x04\x95", b"not a catalog", None])
def test_a_damaged_catalog_translates_nothing(
    tmp_path: Path, locales: Path, content: bytes | None
) -> None:
    path = Path("zh_CN", "LC_MESSAGES", "dockmgrd.mo")
    (tmp_path / path).parent.mkdir(parents=True)
    cut = (locales / path).read_bytes()[:-20_000]
    (tmp_path / path).write_bytes(cut if content is None else content)
    shown = run_python(_SAY_NO_JOBS, tmp_path, "zh_CN.UTF-8")
    assert shown.startswith("There are no jobs yet.")


def test_polkit_asks_in_chinese() -> None:
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    actions = ElementTree.parse(ROOT / "polkit" / "org.dockmgr1.policy").getroot().iter("action")
    for action in actions:
        for tag in ("description", "message"):
            texts = {each.get(language): each.text or "" for each in action.iter(tag)}
            assert set(texts) == {None, "zh_CN"}, action.get("id")
            fields = {key: sorted(re.findall(r"\$\(\w+\)", text)) for key, text in texts.items()}
            assert fields[None] == fields["zh_CN"], action.get("id")


def test_the_readme_has_the_same_parts_in_chinese() -> None:
    english, chinese = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh_CN.md")
    )
    assert _headings(chinese) == _headings(english)
    assert _commands(chinese) == _commands(english)
    assert _code(chinese) == _code(english)


def _headings(text: str) -> list[str]:
    """The depths of the headings outside of blocks."""
    return re.findall(r"^#+(?= )", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)


def _commands(text: str) -> list[list[str]]:
    """What is to be typed in each block: without comments, output, and what drawings say."""
    return [
        [kind, *_typed(kind, block)]
        for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)
    ]


def _typed(kind: str, block: str) -> list[str]:
    if kind == "text":
        return []
    if kind == "console":
        return [line for line in block.splitlines() if line.startswith(("# ", "$ "))]
    return [re.sub(r"\s+# .*", "", line) for line in block.splitlines()]


def _code(text: str) -> set[str]:
    """What stands in backticks in the rows of tables: names, and values of options."""
    rows = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    return set(re.findall(r"`[^`]+`", rows))
