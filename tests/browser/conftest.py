# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts with Cockpit and a browser, each shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from bed import cockpit
from bed.host import Host
from bed.layers import Layers
from bed.suites import SUITES, Suite
from browser.chromium import Window, open_window, start_playwright

PATIENCE = 900  # seconds for a test with several logins and an installation, on a loaded machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.timeout(PATIENCE))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with start_playwright() as started:
        yield started


OpenHost = Callable[[str, Callable[[Suite], Layers]], Window]


@pytest.fixture(scope="module")
def open_host(playwright: Playwright) -> Iterator[OpenHost]:
    """Return a function that gives a window to a host of those layers, one for the whole module."""
    windows: dict[tuple[str, str], Window] = {}
    with ExitStack() as stack:

        def open_one(suite: str, disk: Callable[[Suite], Layers]) -> Window:
            key = (suite, disk.__name__)
            if key not in windows:
                host = stack.enter_context(Host(SUITES[suite], disk(SUITES[suite])))
                windows[key] = stack.enter_context(open_window(playwright, host))
            return windows[key]

        yield open_one


@pytest.fixture
def empty(open_host: OpenHost, suite: Suite) -> Window:
    """A host without Docker."""
    return open_host(suite.name, cockpit.ours)


@pytest.fixture
def engine(open_host: OpenHost, suite: Suite) -> Window:
    """A host with Docker."""
    return open_host(suite.name, cockpit.docker)
