# SPDX-License-Identifier: LGPL-2.1-or-later
"""dnf4's callbacks, as progress of the job."""

from __future__ import annotations

from typing import Any

from dnf import callback

from dockmgrd.model import Stage
from dockmgrd.worker.channel import Channel


class DownloadProgress(callback.DownloadProgress):  # type: ignore[misc]
    """Tells the bytes that are there, of all that are to come, and keeps what went wrong."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._total_files = 0
        self._total_bytes = 0
        self._done: dict[str, int] = {}
        self._ended: set[str] = set()
        self.failures: dict[str, str] = {}
        """Why the last attempt at a package failed, by its name; dnf's error does not say."""

    def start(self, total_files: int, total_size: int, total_drpms: int = 0) -> None:
        # dnf starts anew with what is left when a delta package did not work out.
        self._total_files = max(self._total_files, total_files)
        self._total_bytes = max(self._total_bytes, total_size)
        self._channel.progress(Stage.DOWNLOADING, 0.0)

    def progress(self, payload: Any, done: int) -> None:
        self._done[str(payload)] = done
        self._tell()

    def end(self, payload: Any, status: int | None, message: str) -> None:
        if status == callback.STATUS_MIRROR:
            self.failures[str(payload.pkg)] = message
        elif status in (callback.STATUS_OK, callback.STATUS_ALREADY_EXISTS):
            self._done[str(payload)] = payload.download_size
            self._ended.add(str(payload))
            self._tell()

    def _tell(self) -> None:
        fraction = sum(self._done.values()) / self._total_bytes if self._total_bytes else 1.0
        # Several are on their way at once, so no name.
        message = f"{len(self._ended)} of {self._total_files}"
        self._channel.progress(Stage.DOWNLOADING, fraction, message)


class TransactionProgress(callback.TransactionProgress):  # type: ignore[misc]
    """Tells which package rpm is at, and keeps what rpm complains about."""

    def __init__(self, channel: Channel, stage: Stage) -> None:
        super().__init__()
        self._channel = channel
        self._stage = stage
        self.began = False
        self.complaints: list[str] = []

    def progress(
        self, package: Any, action: int, ti_done: int, ti_total: int, ts_done: int, ts_total: int
    ) -> None:
        self.began = True
        if package is None or not ts_total or not ti_total or action == callback.PKG_VERIFY:
            return
        if action == callback.TRANS_PREPARATION:
            self._channel.progress(self._stage, 0.0)
            return
        name = getattr(package, "name", str(package))
        fraction = (ts_done - 1 + min(ti_done / ti_total, 1.0)) / ts_total
        self._channel.progress(self._stage, fraction, f"{name}, {ts_done} of {ts_total}")

    def error(self, message: str) -> None:
        self.complaints.append(" ".join(message.split()))
