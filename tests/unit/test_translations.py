# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalogues of translations, and sentences found again in them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockmgrd.cli.i18n.locales import languages
from dockmgrd.cli.i18n.messages import Catalogue, Template
from po import messages, pofile
from unit.catalogues import compile_into

ROOT = Path(__file__).parents[2]
SOURCE = messages.collect()
CHINESE = pofile.read(ROOT / "po" / "zh_CN.po")
CATALOGUE = Catalogue.of({key: value for key, value in CHINESE.items() if key and value})
TEMPLATES = [template for template in map(Template.of, SOURCE) if template is not None]
REFRESH = "run 'make translations', and translate what it names in po/zh_CN.po"

FIELD = re.compile(r"\{(\w+)[^{}]*\}")
PLAIN = ["/etc/one", "two.service", "3.5", "https://four.example/", "fünf", "six"]
AWKWARD = [
    "the one {0} %s",
    'the "second" thing',
    "three 三 (nothing)",
    "of four, at five",
    "x" * 300,
    "\\6\x1b",
]
SEPARATORS = ["a; b", "c: d", "e, f", "g (h)", "'i' and 'j'", "k. l"]


def filled(template: Template, values: list[str]) -> tuple[str, str]:
    """A sentence of the template, and its translation."""
    chosen = [values[int(each) % len(values)] for each in sorted(set(template.fields))]
    return template.msgid.format(*chosen), CHINESE[template.msgid].format(*chosen)


@pytest.mark.parametrize("name", ["dockmgrd.pot", "zh_CN.po"])
def test_the_catalogue_has_the_messages_of_the_source(name: str) -> None:
    there = pofile.read(ROOT / "po" / name).keys() - {""}
    assert sorted(SOURCE.keys() - there) == [], REFRESH
    assert sorted(there - SOURCE.keys()) == [], REFRESH


def test_everything_is_translated() -> None:
    assert [msgid for msgid in SOURCE if not CHINESE.get(msgid)] == [], REFRESH


def test_translations_have_the_fields_of_their_messages() -> None:
    for msgid, translation in CHINESE.items():
        assert sorted(set(FIELD.findall(translation))) == sorted(set(FIELD.findall(msgid))), msgid


def test_sentences_end_as_such() -> None:
    """The way in which messages are put into others goes by it."""
    ends = {msgid for msgid in SOURCE if msgid.endswith(".") and CHINESE[msgid][-1:] not in "。}"}
    assert ends == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.msgid[:40])
def test_every_sentence_is_found_again_with_its_values(template: Template) -> None:
    for values in (PLAIN, *([AWKWARD] if template.values(filled(template, AWKWARD)[0]) else [])):
        sentence, translation = filled(template, values)
        assert CATALOGUE.told(sentence) == translation


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.msgid[:40])
def test_no_value_loses_a_character(template: Template) -> None:
    """Values may hold what stands between them: they may end elsewhere then, and stay whole."""
    for shift in range(len(SEPARATORS)):
        values = SEPARATORS[shift:] + SEPARATORS[:shift]
        sentence, _ = filled(template, values)
        told = CATALOGUE.told(sentence)
        for value in values[: len(set(template.fields))]:
            for letter in re.findall(r"\b[a-l]\b", value):
                assert letter in told


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            (
                "None of the sources can serve this: aliyun: The repository at https://a.example/9 "
                "cannot be used: Status code: 404; check the network and the proxy, or choose "
                "another source; tuna: There is no docker-ce at https://b.example/; choose another "
                "source, or another channel."
            ),
            (
                "没有一个软件源能满足请求：aliyun：位于 https://a.example/9 的软件仓库无法使用："
                "Status code: 404；请检查网络和代理，或换用其他软件源；tuna：https://b.example/ "
                "没有 docker-ce；请换用其他软件源或其他渠道。"
            ),
        ),
        (
            (
                "What would be done has changed since the plan was shown: it would also remove "
                "runc-1.1-1.x86_64, stop container other and it would not upgrade a-2 for a-1; "
                "nothing was done, look at the new plan and agree to that."
            ),
            (
                "显示计划之后，将要执行的操作已发生变化：还会移除 runc-1.1-1.x86_64、停止容器 "
                "other，并且不会再升级到 a-2（取代 a-1）；目前什么都没有做，请查看并同意新的计划。"
            ),
        ),
        (
            (
                "Docker's packages conflict with what is installed, and this would remove "
                "buildah-1 (it needs runc-1), runc-1 (containerd.io-2 replaces it); install with "
                "--replace-conflicting to agree, or remove what conflicts yourself."
            ),
            (
                "Docker 的软件包与已安装的软件包冲突，将会移除 buildah-1（它依赖 runc-1）、"
                "runc-1（它被 containerd.io-2 取代）；如果同意，请用 --replace-conflicting 安装，"
                "或自行移除冲突的软件包。"
            ),
        ),
        (
            (
                "Process 712 (/usr/bin/python3 /usr/bin/dnf -y install x) is using the package "
                "manager; wait until it has ended and try again."
            ),
            (
                "进程 712（/usr/bin/python3 /usr/bin/dnf -y install x） 正在使用软件包管理器；"
                "请等它结束后重试。"
            ),
        ),
        (
            (
                "Job 20260131T120000_3fa2b1 is installing and must not be stopped half-way; "
                "'dockmgrctl follow 20260131T120000_3fa2b1' waits for its end."
            ),
            (
                "作业 20260131T120000_3fa2b1 正处于“安装”阶段，不能中途停止；用 "
                "'dockmgrctl follow 20260131T120000_3fa2b1' 可以等待它结束。"
            ),
        ),
        (
            (
                "/etc/docker/daemon.json cannot be changed safely: line 3 column 1: Expecting "
                "value; mend the file and try again."
            ),
            (
                "无法安全地修改 /etc/docker/daemon.json：第 3 行第 1 列：缺少值；"
                "请修正该文件，然后重试。"
            ),
        ),
        (
            (
                "Nothing was changed because not every mirror works (https://a.example/: nothing "
                "listens there; https://b.example/: it cannot be reached: No route to host); leave "
                "those out, or set them without verifying."
            ),
            (
                "并非每个镜像加速器都可用（https://a.example/：没有服务在监听；https://b.example/："
                "无法到达：没有到主机的路由），因此没有做任何改动；请去掉这些，或不经验证直接设置。"
            ),
        ),
    ],
)
def test_messages_in_messages(english: str, chinese: str) -> None:
    assert CATALOGUE.told(english) == chinese


def test_the_same_message_of_several_sources() -> None:
    one = "The repository at https://{0}/ cannot be used: Status code: 404 for https://{0}/x (IP: "
    one += "127.0.0.1); check the network and the proxy, or choose another source"
    several = "; ".join(f"{name}: {one.format(name)}" for name in ("a", "b", "c"))
    told = CATALOGUE.told(f"None of the sources can serve this: {several}.")
    assert (
        told
        == "没有一个软件源能满足请求："
        + "；".join(
            f"{name}：位于 https://{name}/ 的软件仓库无法使用：Status code: 404 for "
            f"https://{name}/x (IP: 127.0.0.1)；请检查网络和代理，或换用其他软件源"
            for name in ("a", "b", "c")
        )
        + "。"
    )


@pytest.mark.parametrize("text", ["", " ", ".", "Something dnf said of it.", "a of b of c", "()"])
def test_what_is_unknown_stays(text: str) -> None:
    assert CATALOGUE.told(text) == text


@pytest.mark.parametrize("piece", ["a: ", "x; ", "it needs ", "Job ", " and it would also ", "("])
def test_any_text_is_answered(piece: str) -> None:
    """What others have put into a sentence keeps nobody waiting."""
    CATALOGUE.told(piece * 500)
    CATALOGUE.told(piece * 5000)


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
    assert list(languages(environment)) == expected


def compiled(folder: Path) -> Path:
    return compile_into(folder) / "zh_CN" / "LC_MESSAGES" / "dockmgrd.mo"


def test_catalogue_as_msgfmt_makes_it(tmp_path: Path) -> None:
    assert Catalogue.read(compiled(tmp_path)).translations == CATALOGUE.translations


@pytest.mark.parametrize("content", [b"", b"\xde\x12\x04\x95", b"no catalogue of translations"])
def test_a_damaged_catalogue_translates_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dockmgrd.mo"
    path.write_bytes(content)
    assert Catalogue.read(path).told("nothing listens there") == "nothing listens there"


def test_a_catalogue_that_is_cut_off_translates_nothing(tmp_path: Path) -> None:
    path = compiled(tmp_path)
    path.write_bytes(path.read_bytes()[:-20_000])
    assert Catalogue.read(path).told("nothing listens there") == "nothing listens there"


@pytest.mark.parametrize(("language", "told"), [("C", "done False"), ("zh_CN.UTF-8", "完成 True")])
def test_who_reads_english_pays_nothing(tmp_path: Path, language: str, told: str) -> None:
    code = (
        "import sys; from dockmgrd.cli.i18n.translation import told; "
        "print(told('done'), 'dockmgrd.cli.i18n.messages' in sys.modules)"
    )
    more = {"LC_ALL": language, "TEXTDOMAINDIR": str(compile_into(tmp_path)), "PYTHONUTF8": "1"}
    environment = {**os.environ, **more}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, encoding="utf-8"
    )
    assert done.stdout.strip() == told


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
