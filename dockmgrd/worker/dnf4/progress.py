# SPDX-License-Identifier: LGPL-2.1-or-later
"""dnf4's callbacks, as progress of the job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnf import callback

from dockmgrd.enums import Stage
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text, foreign_text
from dockmgrd.model import Numbers
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.dnf4.plan import is_downloaded
from dockmgrd.worker.speed import Speed, describe_download

_STEPS = 100
"""Into how many parts the writing of a package is divided at most."""


class DownloadProgress(callback.DownloadProgress):  # type: ignore[misc]
    """Reports the downloaded bytes, and keeps why downloads failed."""

    def __init__(self, channel: Channel, on_arrival: Callable[[str], None]) -> None:
        self._channel = channel
        self._on_arrival = on_arrival
        self._total_files = 0
        self._total_bytes = 0
        self._done: dict[str, int] = {}
        self._ended: set[str] = set()
        self._speed = Speed()
        self.failures: dict[str, str] = {}
        """Why the last attempt at a package failed, by its name; dnf's error does not say."""

    def start(self, total_files: int, total_size: int, total_drpms: int = 0) -> None:
        # dnf starts again with the remaining packages when a delta package fails.
        self._total_files = max(self._total_files, total_files)
        self._total_bytes = max(self._total_bytes, total_size)
        self._channel.progress(Stage.DOWNLOADING, 0.0)

    def progress(self, payload: Any, done: int) -> None:
        self._done[str(payload)] = done
        self._report()

    def end(self, payload: Any, status: int | None, message: str) -> None:
        if status == callback.STATUS_MIRROR:
            self.failures[str(payload.pkg)] = message
        elif status in (callback.STATUS_OK, callback.STATUS_ALREADY_EXISTS):
            self._done[str(payload)] = payload.download_size
            self._ended.add(str(payload))
            if is_downloaded(payload.pkg):  # and not a delta alone, of which it is yet to be made
                self._on_arrival(str(payload.pkg))
            self._report()

    def _report(self) -> None:
        here, total = sum(self._done.values()), self._total_bytes
        # Several files are downloaded at once, so there is no name.
        numbers = self._speed.measure(here, total, len(self._ended), self._total_files)
        fraction = here / total if total else 1.0
        self._channel.progress(Stage.DOWNLOADING, fraction, describe_download(numbers), numbers)


class TransactionProgress(callback.TransactionProgress):  # type: ignore[misc]
    """Reports which package rpm is at, and keeps the warnings of rpm."""

    def __init__(self, channel: Channel, stage: Stage) -> None:
        super().__init__()
        self._channel = channel
        self._stage = stage
        self._step = (-1, 0)
        self.began = False
        self.warnings: list[Text] = []

    def progress(
        self, package: Any, action: int, ti_done: int, ti_total: int, ts_done: int, ts_total: int
    ) -> None:
        self.began = True
        if package is None or not ts_total or not ti_total or action == callback.PKG_VERIFY:
            return
        # rpm calls for every block that it has written, thousands of times.
        step = (ts_done, _STEPS * ti_done // ti_total)
        if step == self._step:
            return
        self._step = step
        if action == callback.TRANS_PREPARATION:
            self._channel.progress(self._stage, 0.0)
            return
        name = getattr(package, "name", str(package))
        fraction = (ts_done - 1 + min(ti_done / ti_total, 1.0)) / ts_total
        message = messages.PACKAGE_OF_ALL(package=name, item=ts_done, items=ts_total)
        numbers = Numbers(item=ts_done, items=ts_total)
        self._channel.progress(self._stage, fraction, message, numbers)

    def error(self, message: str) -> None:
        self.warnings.append(foreign_text(" ".join(message.split())))
