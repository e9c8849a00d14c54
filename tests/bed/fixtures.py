# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts for tests.

A test that asks for a host runs on bookworm, or on the suites that it is marked with, as by
`@pytest.mark.suites("trixie")` or `@EVERYWHERE`. When it fails, the end of the journal of every
host that it had is in the report.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from bed import layers
from bed.host import Host
from bed.suites import BOOKWORM, SUITES, Suite

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from bed.layers import Layers

EVERYWHERE = pytest.mark.suites(*SUITES)
"""For a test that needs each kind of host: whatever has to do with packages."""

_JOURNAL_LINES = "150"
_HOSTS = pytest.StashKey[list[Host]]()


class NewHost(Protocol):
    """Boots a host that lives until the end of the test."""

    def __call__(
        self,
        disk: Layers | None = None,
        *,
        files: Mapping[str, str] | None = None,
        data_mounts: bool = True,
    ) -> Host: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--suite",
        action="append",
        choices=sorted(SUITES),
        help="boot hosts of this suite only; can be given more than once",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "suites(*names): the suites whose hosts the test needs")
    config.addinivalue_line("markers", "soak: goes on for long in `make soak`; see bed.soaking")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "suite" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("suites")
    wanted = marker.args if marker is not None else (BOOKWORM.name,)
    allowed = metafunc.config.getoption("suite") or list(SUITES)
    names = [name for name in wanted if name in allowed]
    metafunc.parametrize("suite", [SUITES[name] for name in names], ids=names)


@pytest.fixture
def new_host(request: pytest.FixtureRequest, suite: Suite) -> Iterator[NewHost]:
    """Return a function that boots further hosts, of other layers or with other files."""
    hosts: list[Host] = request.node.stash.setdefault(_HOSTS, [])
    with ExitStack() as stack:

        def boot(
            disk: Layers | None = None,
            *,
            files: Mapping[str, str] | None = None,
            data_mounts: bool = True,
        ) -> Host:
            host = Host(suite, disk, files=files, data_mounts=data_mounts)
            stack.callback(host.close)
            host.boot()
            hosts.append(host)
            return host

        yield boot


@pytest.fixture
def bare_host(new_host: NewHost) -> Host:
    """A host with nothing of ours."""
    return new_host()


@pytest.fixture
def host(new_host: NewHost, suite: Suite) -> Host:
    """A host with our packages from dist/, and no Docker."""
    return new_host(layers.ours(suite))


@pytest.fixture
def docker_host(new_host: NewHost, suite: Suite) -> Host:
    """A host on which dockmgrd has installed Docker, and Docker runs."""
    return new_host(layers.docker(suite))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for host in item.stash.get(_HOSTS, []):
            if host.running:
                title = f"Journal of {host.name} ({host.suite.name})"
                report.sections.append((title, _journal_tail(host)))
    return report


def _journal_tail(host: Host) -> str:
    arguments = ("--no-pager", "--output=short-precise", f"--lines={_JOURNAL_LINES}")
    try:
        return host.run("journalctl", *arguments, check=False).stdout
    except subprocess.TimeoutExpired:
        return "journalctl does not answer\n"
