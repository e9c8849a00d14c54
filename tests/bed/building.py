# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pytest plugin: what a test takes from the cache may have to be built first.

That takes minutes, so it is no part of any test's time: the time limit stops while an item is
built, here or by another process, and starts again after that. The steps of a build are shown at
once on the standard error of the whole run, also from the workers of pytest-xdist.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bed.cache import shared

if TYPE_CHECKING:
    from collections.abc import Iterator

_HANDLER: pytest.StashKey[logging.StreamHandler[Any]] = pytest.StashKey()
_log = logging.getLogger("bed")


class TimeLimit:
    """The limit of the test that runs now, as pytest-timeout has set it."""

    def __init__(self, hooks: Any) -> None:
        self._hooks = hooks
        self._running: tuple[pytest.Item, object] | None = None
        self._builds = 0

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: object) -> None:
        self._running = (item, settings)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        try:
            return (yield)
        finally:
            self._running = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no time limit hold within the context."""
        running = self._running
        in_main_thread = threading.current_thread() is threading.main_thread()
        if running is None or self._builds or not in_main_thread:
            yield
            return
        item, settings = running
        self._builds += 1
        self._hooks.pytest_timeout_cancel_timer(item=item)
        try:
            yield
        finally:
            self._builds -= 1
            self._hooks.pytest_timeout_set_timer(item=item, settings=settings)


def pytest_configure(config: pytest.Config) -> None:
    limit = TimeLimit(config.hook)
    config.pluginmanager.register(limit)
    shared().around_build = limit.stopped
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        real_standard_error = os.dup(2)
    handler = logging.StreamHandler(os.fdopen(real_standard_error, "w"))
    handler.setFormatter(logging.Formatter("%(message)s"))
    config.stash[_HANDLER] = handler
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)


def pytest_unconfigure(config: pytest.Config) -> None:
    handler = config.stash.get(_HANDLER, None)
    if handler is not None:
        _log.removeHandler(handler)
        handler.stream.close()
