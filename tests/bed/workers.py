# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package worker of a host by itself, driven as a job drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bed import identity, sites, system
from bed.suites import ARCH
from dockmgrd.catalog.platforms import Tree
from dockmgrd.catalog.sources import Key, Source
from dockmgrd.host.rpmdb import ENGINE, EXTRAS, OF_ENGINE_VERSION
from dockmgrd.job.packages.repofile import Repository
from dockmgrd.worker.protocol import (
    PROCEED,
    Event,
    InstallPackages,
    ListPackages,
    Outcome,
    Request,
    ResolvedEvent,
    WritingEvent,
    decode_event,
    encode,
)

if TYPE_CHECKING:
    from bed.host import Host

OFFICIAL = f"https://{sites.DOCKER}"
MINIMAL = ENGINE
COMMAND = ("python3", "-m", "dockmgrd.worker")
"""How a host starts a worker."""
ALL = (*ENGINE, *EXTRAS)

# Scripts for `holding`.
RECORD_LOCK = """
import fcntl
os.makedirs(os.path.dirname({path!r}), exist_ok=True)
lock = open({path!r}, "ab+")
fcntl.lockf(lock, fcntl.LOCK_EX)
"""
RPM_WRITES = RECORD_LOCK.format(path="/var/lib/rpm/.rpm.lock")


def install(
    *,
    names: tuple[str, ...] = ALL,
    version: str = "",
    allow_removals: bool = False,
    fingerprint: str | None = None,
    lock_wait: int = 0,
) -> InstallPackages:
    return InstallPackages(
        names=names,
        version=version,
        versioned=OF_ENGINE_VERSION,
        repository="docker-ce-stable",
        key_file=system.KEY_FILE,
        fingerprint=fingerprint or identity.provide().fingerprint(),
        weak_dependencies=names == ALL,
        allow_removals=allow_removals,
        lock_wait=lock_wait,
    )


def listing(host: Host) -> ListPackages:
    return ListPackages(
        names=OF_ENGINE_VERSION,
        repository="docker-ce-stable",
        key_file=system.KEY_FILE,
        fingerprint=identity.provide().fingerprint(),
        base_url=f"{OFFICIAL}/linux/{host.suite.trees[0]}/{ARCH}/stable",
    )


def use_source(host: Host, prefix: str = OFFICIAL) -> None:
    """Write the repository file as a job would."""
    key = Key(Path(system.KEY_FILE), identity.provide().fingerprint())
    tree = Tree(*host.suite.trees[0].split("/"))
    source = Source("test", "Test", prefix, "", "", key)
    host.write("/etc/yum.repos.d/docker-ce.repo", Repository(source, tree, "stable").content())


def work(
    host: Host,
    request: Request,
    at_event: Callable[[Event], None] = lambda _event: None,
    command: Sequence[str] = COMMAND,
) -> list[Event]:
    """Have a worker do it, and agree when it wants to write. The last event is the outcome."""
    events = []
    with host.popen(*command) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(encode(request).decode())
        process.stdin.flush()
        for line in process.stdout:
            event = decode_event(line.encode())
            events.append(event)
            at_event(event)
            if isinstance(event, ResolvedEvent) or event == WritingEvent(writing=True):
                process.stdin.write(PROCEED.decode())
                process.stdin.flush()
    return events


def outcome_of(host: Host, request: Request, command: Sequence[str] = COMMAND) -> Outcome:
    outcome = work(host, request, command=command)[-1]
    assert isinstance(outcome, Outcome), "the worker died"
    return outcome


def done(host: Host, request: Request) -> Outcome:
    outcome = outcome_of(host, request)
    assert (outcome.error_name, outcome.error_message) == ("", "")
    return outcome


@contextmanager
def holding(host: Host, script: str) -> Iterator[int]:
    """A process that has run the script and keeps running; its id in the host."""
    program = f"import os, time\n{script}\nprint(os.getpid(), flush=True)\ntime.sleep(10**6)"
    with host.popen("python3", "-c", program) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        try:
            yield pid
        finally:
            host.run("kill", str(pid), check=False)
