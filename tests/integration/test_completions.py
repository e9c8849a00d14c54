# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shell completion on a host, with the files of the RPM and an unprivileged user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bed import repositories
from bed.suites import BOOKWORM

if TYPE_CHECKING:
    from bed.host import Host

MIRROR, OTHER = "https://mirror.bed.test/", "https://mirror2.bed.test/"

# As bash does it at a prompt; what the shells themselves make of it is in unit/test_completions.py.
_TAB = """
source /usr/share/bash-completion/completions/dockmgrctl
COMP_WORDBREAKS=
COMP_LINE="dockmgrctl $1"
COMP_POINT=${#COMP_LINE}
_dockmgrctl dockmgrctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(host: Host, line: str) -> list[str]:
    return host.run("bash", "-c", _TAB, "bash", line, user="bob").stdout.split()


def test_values_of_this_host(docker_host: Host) -> None:
    host = docker_host
    assert {"aliyun", "tuna"} <= set(offered(host, "install --source "))
    assert offered(host, "install --version ") == []
    assert offered(host, "set-mirror --remove ") == []

    host.run("dockmgrctl", "-q", "versions")
    _, current, _ = repositories.generations(BOOKWORM)
    assert current.engine in offered(host, "install --version ")

    host.run("dockmgrctl", "-q", "set-mirror", MIRROR)
    host.run("dockmgrctl", "-q", "probe", MIRROR, OTHER)
    assert offered(host, "set-mirror --remove ") == [MIRROR]
    assert set(offered(host, "set-mirror ")) == {MIRROR, OTHER}
    assert offered(host, f"probe {MIRROR} ") == [OTHER]

    jobs = json.loads(host.run("dockmgrctl", "--json", "jobs", user="bob").stdout)
    assert len(jobs) >= 3
    assert offered(host, "log ") == [job["id"] for job in jobs]
    assert offered(host, "cancel ") == []


def test_tab_does_nothing_but_ask(host: Host) -> None:
    for line in ("install --source ", "install --version ", "set-mirror ", "follow "):
        offered(host, line)
    assert json.loads(host.run("dockmgrctl", "--json", "jobs").stdout) == []
