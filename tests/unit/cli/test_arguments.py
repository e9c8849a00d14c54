# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parser of the command line."""

from __future__ import annotations

from typing import Any

import pytest

from dockmgrd import errors
from dockmgrd.cli.commands.all import COMMON, LISTED_COMMANDS, SYNONYMS
from dockmgrd.cli.commands.arguments import Invocation, NoCommand, parse, wants_json
from dockmgrd.cli.commands.exitcodes import list_exit_codes
from dockmgrd.cli.view import help as helptext
from dockmgrd.errors import DockmgrError, InvalidArgs, RemoteError
from dockmgrd.verbs import SIGNATURES


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("status", {}),
        ("install", {}),
        ("install --source ustc", {"options": {"source": "ustc"}}),
        ("install --channel test", {"options": {"channel": "test"}}),
        ("install --source a,b", {"options": {"source": "a,b"}}),
        ("install --platform rhel/9", {"options": {"platform": "rhel/9"}}),
        ("install --containerd-rpm https://a", {"options": {"containerd-rpm": "https://a"}}),
        ("install --repo-url https://a", {"options": {"repo-url": "https://a"}}),
        ("install --completion", {"options": {"completion": True}}),
        ("install --dry-run", {"options": {"dry-run": True}}),
        ("install --plan 1a2b", {"options": {"plan": "1a2b"}}),
        ("install -y", {"yes": True}),
        ("install --version latest", {"options": {"upgrade": True}}),
        ("upgrade", {"options": {"upgrade": True}}),
        ("upgrade --source tuna -y", {"options": {"upgrade": True, "source": "tuna"}, "yes": True}),
        ("follow", {}),
        ("cancel", {}),
        ("log -f -n 5 -x", {"log_options": ("--follow", "--lines=5", "--catalog")}),
        ("permissions", {}),
        ("can", {}),
        ("uninstall --yes", {"yes": True}),
        ("uninstall --dry-run", {"options": {"dry-run": True}}),
        ("versions --source a --channel test", {"options": {"source": "a", "channel": "test"}}),
        ("versions --platform rhel/9", {"options": {"platform": "rhel/9"}}),
        ("install --version 28.5.1", {"options": {"version": "28.5.1"}}),
        ("install --minimal", {"options": {"minimal": True}}),
        (
            "install --mirror https://a --mirror=https://b",
            {"options": {"mirrors": ["https://a", "https://b"]}},
        ),
        ("install --replace-conflicting", {"options": {"replace-conflicting": True}}),
        ("install --no-start", {"options": {"start": False}}),
        ("install --no-enable", {"options": {"enable": False}}),
        ("set-mirror https://a http://b", {"mirrors": ("https://a", "http://b")}),
        ("set-mirror --json https://a", {"mirrors": ("https://a",), "json": "auto"}),
        (
            "set-mirror https://a -q https://b --verify https://c",
            {
                "mirrors": ("https://a", "https://b", "https://c"),
                "quiet": True,
                "options": {"verify": True},
            },
        ),
        ("set-mirror --clear", {}),
        ("uninstall", {}),
        ("uninstall --purge-data", {"options": {"purge-data": True}}),
        ("uninstall --keep-config", {"options": {"keep-config": True}}),
        ("uninstall --force", {"options": {"force": True}}),
        ("sources", {}),
        ("jobs --json", {"json": "auto"}),
        ("jobs --json=short", {"json": "short"}),
        ("jobs --json=pretty", {"json": "pretty"}),
        ("jobs --json=off", {}),
        ("jobs --no-pager", {"pager": False}),
        ("status -H web1", {"host": "web1"}),
        ("status -Hroot@web1:2222", {"host": "root@web1:2222"}),
        ("status --host=[::1]:22", {"host": "[::1]:22"}),
        ("version", {}),
        ("help", {}),
        ("help install", {"topic": "install"}),
        ("follow 3fa2b1", {"job": "3fa2b1"}),
        ("cancel 3fa2b1 --no-ask-password", {"job": "3fa2b1", "ask_password": False}),
        ("status -q", {"quiet": True}),
        ("status --quiet", {"quiet": True}),
    ],
)
def test_meaning(line: str, expected: dict[str, Any]) -> None:
    command = line.split()[0]
    assert parse(line.split()) == Invocation(command, **expected)


def test_common_options_may_stand_before_the_command() -> None:
    expected = Invocation("status", json="auto", quiet=True, ask_password=False, host="a")
    assert parse(["--json", "-q", "--host", "a", "--no-ask-password", "status"]) == expected
    assert parse(["--json", "-qH", "a", "status", "--no-ask-password"]) == expected


def test_json_alone_swallows_no_word() -> None:
    assert parse(["--json", "status"]) == Invocation("status", json="auto")
    assert parse(["--json", "follow", "short"]) == Invocation("follow", json="auto", job="short")


def test_json_is_wanted_even_where_nothing_is_understood() -> None:
    assert wants_json(["--json", "nonsense"])
    assert wants_json(["nonsense", "--json=pretty"])
    assert not wants_json(["nonsense", "--json=off"])


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("", "command"),
        ("-q", "command"),
        ("instal", "instal"),
        ("instal", "Did you mean 'dockmgrctl install'?"),
        ("--sauce status", "--sauce"),
        ("help instal", "Did you mean 'dockmgrctl install'?"),
        ("install --sauce official", "Did you mean '--source'?"),
        ("install --min", "--minimal"),
        ("install --source", "--source"),
        ("install extra", "extra"),
        ("set-mirror", "--clear"),
        ("set-mirror --clear https://a", "--clear"),
        ("log -n x", "--lines"),
        ("status --quiet=x", "--quiet"),
        ("probe --timeout", "--timeout 30"),
        ("cancel a b", "b"),
    ],
)
def test_refusal_names_what_is_wrong_and_the_help(line: str, named: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        parse(line.split())
    assert named in caught.value.message
    assert caught.value.text.remedy is not None


@pytest.mark.parametrize("command", LISTED_COMMANDS, ids=lambda command: command.name)
def test_help_has_two_examples_that_parse(command: Any) -> None:
    for line in ([command.name, "--help"], ["-h", command.name], ["help", command.name]):
        assert parse(line) == Invocation("help", topic=command.name)
    text = "\n".join(helptext.format_command(command, 80))
    for option in (*COMMON, *command.options):
        assert option.flag in text
    for example in command.examples:
        assert example in text
        program, *arguments = example.split()
        assert program == "dockmgrctl"
        assert parse(arguments).command == command.name
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("width", [10, 40, 80, 200])
def test_help_fits_the_terminal(width: int) -> None:
    lines = helptext.format_overview(width)
    assert all(len(line) <= max(width, 45) for line in lines)
    assert {each.name for each in LISTED_COMMANDS} <= {
        line.split()[0] for line in lines if line.strip()
    }


def test_version() -> None:
    assert parse(["--version"]) == Invocation("version", brief=True)


@pytest.mark.parametrize(
    "host",
    [
        *("-oProxyCommand=x", "root@-oProxyCommand", "-l@web1", "-", "", "@", "root@", "@web1"),
        *("a b", "a\n", "a\tb", "a'", "$(id)", "`id`", "a;b", "a|b", "a&b", "a>b", "a\\b", 'a"'),
        *("ssh://web1", "web1/container", "web1:", "web1:x", "web1:-1", "web1:22:container"),
        *("[::1", "[web1]", "[::1]x", "::1%$(id)"),
    ],
)
def test_invalid_hosts(host: str) -> None:
    with pytest.raises(InvalidArgs, match="is not a host"):
        parse([f"--host={host}", "status"])


@pytest.mark.parametrize(
    "host",
    ["web1", "root@web-1.example:2222", "a@b@web1", "::1", "root@fe80::1%eth0", "root@[::1]:22"],
)
def test_valid_hosts(host: str) -> None:
    assert parse([f"--host={host}", "status"]).host == host


@pytest.mark.parametrize("form", ["", "x", "Short"])
def test_invalid_forms_of_json(form: str) -> None:
    with pytest.raises(InvalidArgs, match="short, pretty, off"):
        parse([f"--json={form}", "status"])


def test_a_missing_command_is_distinguished() -> None:
    with pytest.raises(NoCommand):
        parse(["--json"])


def test_exit_codes_are_those_of_the_errors() -> None:
    codes = {each.code: each for each in list_exit_codes()}
    leaves = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, DockmgrError) and each is not RemoteError
    ]
    assert {each.exit_code for each in leaves} | {0, 130} == codes.keys()
    assert list(codes) == sorted(codes)
    assert codes[10].name == "Busy"


@pytest.mark.parametrize("word", SYNONYMS)
def test_words_of_other_tools_lead_to_ours(word: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        parse([word])
    assert caught.value.text.remedy is not None
    assert caught.value.text.remedy.command == SYNONYMS[word]
    program, *arguments = SYNONYMS[word].split()
    assert program == "systemctl" or parse(arguments)


@pytest.mark.parametrize("line", ["set-mirror {}", "probe {}", "install --mirror {}"])
def test_a_host_in_place_of_a_url_is_recognized(line: str) -> None:
    with pytest.raises(InvalidArgs, match=r"Did you mean https://mirror\.lab:5000\?"):
        parse(line.format("mirror.lab:5000").split())
    with pytest.raises(InvalidArgs, match="is not a URL") as caught:
        parse(line.format("$(x)").split())
    assert caught.value.text.remedy is None


def test_bare_usage_fits_one_screen() -> None:
    lines = helptext.format_usage(80)
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert {each.name for each in LISTED_COMMANDS} <= {line.split()[0] for line in lines if line}


def test_help_names_each_default() -> None:
    for command in LISTED_COMMANDS:
        for option in (*COMMON, *command.options):
            assert option.metavar is None or "default" in option.help, option.flag


def test_every_option_of_the_service_can_be_given() -> None:
    for command in LISTED_COMMANDS:
        if command.kind is None or command.preset:
            continue
        sent = {option.key for option in command.options} - {"clear", "fastest", "yes"}
        if command.positional is not None:
            sent.add(command.positional.name)
        # "upgrade" has a command of its own, and "expected" is for programs.
        assert sent == set(SIGNATURES[command.kind]) - {"upgrade", "expected"}


@pytest.mark.parametrize("entry", ["", "mirror.lab", " https://mirror.lab"])
def test_whatever_a_file_names_can_be_removed(entry: str) -> None:
    invocation = parse(["set-mirror", "--remove", entry])
    assert invocation.mirrors == (entry,)
    assert invocation.options["mode"] == "remove"
