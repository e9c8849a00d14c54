# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings that are options of dockerd and in its configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.setting_conflicts import DEFAULT_COMMAND_LINE, find_conflicts

DEFAULT_WORDS = list(DEFAULT_COMMAND_LINE.words)


@pytest.mark.parametrize(
    ("words", "keys", "found"),
    [
        (DEFAULT_WORDS, ["hosts", "debug"], {"hosts": "--host"}),
        (DEFAULT_WORDS, ["debug", "runtimes"], {}),
        (["dockerd"], ["hosts"], {}),
        (["dockerd", "-Hfd://"], ["hosts"], {"hosts": "--host"}),
        (["dockerd", "-D", "--debug"], ["debug"], {"debug": "--debug"}),
        (["dockerd", "--log-opt", "a=b"], ["log-opts"], {"log-opts": "--log-opt"}),
        (["dockerd", "--dns=1.1.1.1"], ["dns", "dns-opts"], {"dns": "--dns"}),
        (
            ["dockerd", "--insecure-registry", "a", "-s", "vfs"],
            ["insecure-registries", "storage-driver"],
            {"insecure-registries": "--insecure-registry", "storage-driver": "--storage-driver"},
        ),
        (["dockerd", "--add-runtime", "a=b", "--config-file=x"], ["runtimes", "add-runtimes"], {}),
    ],
)
def test_conflicts(words: list[str], keys: list[str], found: dict[str, str]) -> None:
    command_line = CommandLine(tuple(words), (), (), {})
    texts = list(find_conflicts(command_line, keys, "/etc/docker/daemon.json"))
    assert {each.args["key"]: each.args["flag"] for each in texts} == found
    assert all(each.remedy is not None for each in texts)


def test_the_place_of_the_option(tmp_path: Path) -> None:
    unit = tmp_path / "docker.service"
    unit.write_text("[Service]\nExecStart=dockerd -H fd://\n")
    command_line = CommandLine(("dockerd", "-H", "fd://"), (unit,), (), {})
    [text] = find_conflicts(command_line, ["hosts"], "daemon.json")
    assert text.args["place"] == f"{unit}, line 2"
