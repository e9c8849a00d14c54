# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts for tests.

A test that asks for a host runs on bookworm, or on the suites that it is marked with, as by
`@pytest.mark.suites("trixie")`, `@EVERYWHERE` or `@EACH_DNF`. When it fails, the end of the journal
of every host that it had is in the report.

bullseye is an older bookworm. It takes those tests of `CHOSEN_FOR_BULLSEYE` that are marked with
`@EVERYWHERE` or `@EACH_DNF`, and with `--suite bullseye` every test that runs on bookworm.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from bed import debian, layers
from bed.host import Host
from bed.suites import BOOKWORM, BULLSEYE, FORKY, SUITES, TRIXIE, Suite

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from bed.layers import Layers

EVERYWHERE = pytest.mark.suites(BOOKWORM.name, TRIXIE.name, FORKY.name)
"""For a test that needs each kind of host: each systemd, message bus, polkit and Python."""

EACH_DNF = pytest.mark.suites(BOOKWORM.name, FORKY.name)
"""For a test of packages: with dnf 4, and with dnf 5. trixie has dnf 4, as bookworm has."""

NEEDS_JAVASCRIPT_RULES = pytest.mark.javascript_rules
"""For a test that writes rules of polkit. A host whose polkit reads none skips it."""

CHOSEN_FOR_BULLSEYE = frozenset(
    {"test_bed", "test_main_job", "test_mirrors", "test_plan"}
    | {"test_rpm", "test_survival", "test_uninstall"}
)
"""The modules whose tests tell whether an old host works at all."""

_JOURNAL_LINES = "150"
_HOSTS = pytest.StashKey[list[Host]]()
_VANISHED = pytest.StashKey[dict[str, str]]()


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
    config.addinivalue_line("markers", "javascript_rules: the host's polkit has to read rules.d")
    config.addinivalue_line("markers", "soak: runs for a long time in `make soak`; see bed.soaking")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "suite" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("suites")
    wanted = list(marker.args) if marker is not None else [BOOKWORM.name]
    asked: list[str] = metafunc.config.getoption("suite") or []
    module = metafunc.module.__name__.rpartition(".")[2]
    chosen = module in CHOSEN_FOR_BULLSEYE and set(EACH_DNF.args) <= set(wanted)
    if BOOKWORM.name in wanted and (chosen or BULLSEYE.name in asked):
        wanted.append(BULLSEYE.name)
    names = [name for name in dict.fromkeys(wanted) if name in (asked or SUITES)]
    metafunc.parametrize("suite", [SUITES[name] for name in names], ids=names, indirect=True)


@pytest.fixture
def suite(request: pytest.FixtureRequest) -> Suite:
    """The kind of host that the test runs on. The test is skipped where that cannot be."""
    suite: Suite = request.param
    if request.node.get_closest_marker("javascript_rules") and not suite.has_javascript_rules:
        pytest.skip(f"polkit of {suite.name} reads no rules in JavaScript")
    vanished = request.config.stash.setdefault(_VANISHED, {})
    if suite.may_vanish and suite.name not in vanished:
        try:
            debian.provide(suite)
        except debian.VanishedError as error:
            vanished[suite.name] = str(error)
    if suite.name in vanished:
        pytest.skip(vanished[suite.name])
    return suite


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
