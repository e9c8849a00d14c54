# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real authentication dialog: polkitd, its text agent on a terminal, PAM and a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bed import person
from bed.fixtures import EVERYWHERE
from dockmgrd import names
from integration.callers import add_people

if TYPE_CHECKING:
    from bed.host import Host
    from bed.person import Seen

MIRROR = "https://mirror.example"
PROMPT = "Password: "
QUESTION = {"C.UTF-8": "Authentication is required", "zh_CN.UTF-8": "需要身份验证"}
CTRL_C, CTRL_D = "\x03", "\x04"


def answer(host: Host, keys: str, language: str = "C.UTF-8") -> Seen:
    """What somebody without rights sees who sets a mirror and answers the dialogue like that."""
    password = person.Answer(PROMPT, keys, hidden=True)
    command = f"dockmgrctl set-mirror {MIRROR}"
    seen = person.run(host, command, answer=password, user="alice", env={"LANG": language})
    assert seen.prompts == 1, seen
    assert QUESTION[language] in seen.text
    assert f"{MIRROR}/" in seen.text
    return seen


@EVERYWHERE
def test_only_the_right_password_is_a_yes(host: Host) -> None:
    add_people(host)
    host.run("chpasswd", input="admin:right\n")
    for keys in ("wrong\n", CTRL_D):
        seen = answer(host, keys)
        assert seen.status == 3, seen
        assert "the password was wrong, or a rule forbids it" in seen.text

    assert answer(host, CTRL_C, "zh_CN.UTF-8").status == 130
    assert list(host.path("/var/lib/dockmgrd").glob("jobs/*")) == []

    assert answer(host, "right\n").status == 0
    assert f"{MIRROR}/" in host.read("/etc/docker/daemon.json")
    assert len(host.journal(MESSAGE_ID=names.MESSAGE_DENIED)) == 3
    [allowed] = host.journal(MESSAGE_ID=names.MESSAGE_ALLOWED)
    assert allowed["DOCKMGR_DECIDED_BY"] == "polkit"
    assert allowed["DOCKMGR_CALLER_UNIT"].startswith("session-")
    assert allowed["DOCKMGR_CALLER_UNIT"] in allowed["MESSAGE"]
