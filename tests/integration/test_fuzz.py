# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random calls of an unprivileged user all get a reply and leave nothing behind.

FUZZ_CALLS says how many calls; `make fuzz` sends 100,000.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.api import Api
from bed.limits import HANG_TIMEOUT
from dockmgrd import names

if TYPE_CHECKING:
    from bed.host import Host

FUZZER = Path(__file__).with_name("fuzzer.py").read_text()
CALLS = int(os.environ.get("FUZZ_CALLS", "2000"))
# Until what the daemon keeps, which is bounded, is there.
WARM_UP = max(1000, CALLS // 4)
MEMORY_KB = 2048


def fuzz(host: Host, seed: int, calls: int) -> dict[str, int]:
    """Count the replies by their error name."""
    command = ("/usr/bin/python3", "-IBc", FUZZER, str(seed), str(calls))
    answer = json.loads(host.run(*command, user="alice", timeout=HANG_TIMEOUT + calls).stdout)
    assert answer["wrong"] == [], f"seed {seed}"
    replies: dict[str, int] = answer["replies"]
    assert sum(replies.values()) == calls
    return replies


@pytest.mark.suites("bookworm", "trixie")
@pytest.mark.timeout(3 * HANG_TIMEOUT + 2 * CALLS)
def test_random_calls(host: Host) -> None:
    seed = int(os.environ.get("FUZZ_SEED", time.time()))
    pid = _pid(host)
    fuzz(host, seed, WARM_UP)
    before = _burden(host, pid)
    replies = fuzz(host, seed + 1, CALLS)
    after = _burden(host, pid)
    assert len(replies) > 4, "the calls do not get far"
    assert _pid(host) == pid, "the daemon has died"
    assert after[0] <= before[0], f"descriptors: {before} {after}"
    assert after[1] <= before[1] + MEMORY_KB, f"memory: {before} {after}"
    assert host.journal(MESSAGE_ID=names.MESSAGE_INTERNAL_ERROR) == []
    for entry in host.journal(_PID=pid):
        said = entry.get("MESSAGE", "")
        assert not any(each in said for each in ("Traceback", "secret", "\x1b")), said
    assert Api(host).status()["installed"] is False


def _pid(host: Host) -> str:
    Api(host).status()
    return host.run("systemctl", "show", "dockmgrd", "-P", "MainPID").stdout.strip()


def _burden(host: Host, pid: str) -> tuple[int, int]:
    """Open descriptors, and kB of memory, once nobody is being answered any more."""
    Api(host).status()
    rollup = host.read(f"/proc/{pid}/smaps_rollup")
    memory = next(line for line in rollup.splitlines() if line.startswith("Rss:"))
    return len(list(host.path(f"/proc/{pid}/fd").iterdir())), int(memory.split()[1])
