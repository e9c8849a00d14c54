# SPDX-License-Identifier: LGPL-2.1-or-later
"""The words that dockerd gets in the end, behind variables, wrappers and shells."""

from __future__ import annotations

import pytest

from dockmgrd.host.exec_words import expand_words, find_program

ENVIRONMENT = {"OPTIONS": "--debug --label='a b'", "ROOT": "/srv/d", "NONE": ""}


@pytest.mark.parametrize(
    ("words", "expanded"),
    [
        (["dockerd", "$OPTIONS", "-H"], ["dockerd", "--debug", "--label=a b", "-H"]),
        (["dockerd", "${OPTIONS}"], ["dockerd", "--debug --label='a b'"]),
        (["dockerd", "--data-root=${ROOT}/x"], ["dockerd", "--data-root=/srv/d/x"]),
        (["dockerd", "--data-root=$ROOT"], ["dockerd", "--data-root=$ROOT"]),
        (["dockerd", "$NONE", "${NONE}", "$MISSING"], ["dockerd", ""]),
        (["sh", "-c", "echo $$ROOT $$$$"], ["sh", "-c", "echo $ROOT $$"]),
    ],
)
def test_variables_are_those_of_systemd(words: list[str], expanded: list[str]) -> None:
    assert expand_words(words, ENVIRONMENT) == expanded


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["/usr/bin/dockerd", "-H", "fd://"], ["/usr/bin/dockerd", "-H", "fd://"]),
        (["/usr/bin/nice", "-n", "5", "/opt/dockerd", "-D"], ["/opt/dockerd", "-D"]),
        (["systemd-cat", "-t", "dockerd", "/usr/bin/dockerd", "-D"], ["/usr/bin/dockerd", "-D"]),
        (
            ["/usr/bin/dockerd", "--label", "/a/dockerd"],
            ["/usr/bin/dockerd", "--label", "/a/dockerd"],
        ),
        (["/usr/bin/env", "A=b", "dockerd", "-D"], ["dockerd", "-D"]),
        (["/bin/sh", "-c", "exec dockerd -g /srv/d"], ["dockerd", "-g", "/srv/d"]),
        (["/bin/bash", "-l", "-ec", "A=1 dockerd -g '/srv/a b'"], ["dockerd", "-g", "/srv/a b"]),
        (["nice", "sh", "-c", "x; /usr/bin/dockerd -D >>/log 2>&1"], ["/usr/bin/dockerd", "-D"]),
        (["sh", "-c", "x && dockerd -D & wait"], ["dockerd", "-D"]),
        (["sh", "-c", "cd /\nexec dockerd -D\n"], ["dockerd", "-D"]),
        (
            ["sh", "-c", "exec dockerd --data-root=$ROOT $OPTIONS"],
            ["dockerd", "--data-root=/srv/d", "--debug", "--label=a b"],
        ),
        (["sh", "-c", "exec dockerd 'without an end"], None),
        (["sh", "-c", "exec /opt/start-docker"], None),
        (["/opt/start-docker", "-D"], None),
        (["/usr/bin/echo", "-c", "dockerd -D"], None),
        ([], None),
    ],
)
def test_the_program_is_found_behind_its_wrapper(words: list[str], found: list[str] | None) -> None:
    assert find_program("dockerd", words, ENVIRONMENT) == (words if found is None else found)
