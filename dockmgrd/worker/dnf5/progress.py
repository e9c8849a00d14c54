# SPDX-License-Identifier: LGPL-2.1-or-later
"""libdnf5's callbacks, as progress of the job.

libdnf5 calls them from C++, where an exception of ours could not propagate; none is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import libdnf5.repo
import libdnf5.rpm

from dockmgrd.enums import Stage
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text
from dockmgrd.model import Numbers
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.speed import Speed, describe_download

_GO_ON = libdnf5.repo.DownloadCallbacks.OK
_FAILED = libdnf5.repo.DownloadCallbacks.TransferStatus_ERROR

_STEPS = 100
"""Into how many parts the writing of a package is divided at most."""


class Downloads(libdnf5.repo.DownloadCallbacks):  # type: ignore[misc]
    """Reports the downloaded bytes, and keeps why downloads failed."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self._names: list[str] = []
        self._sizes: list[float] = []
        self._done: list[float] = []
        self._ended: set[int] = set()
        self._speed = Speed()
        self._stage = Stage.METADATA
        self._on_arrival: Callable[[str], None] = lambda _name: None
        self._packages: Mapping[str, str] = {}
        self.repositories: list[str] = []
        """Ids; a repository's user data is its number here, counted from 1."""
        self.failures: dict[str, str] = {}
        """Why the last attempt failed, by id of the repository or NEVRA of the package, the first
        to fail first.
        """
        self.reasons: dict[str, str] = {}
        """As the mirror's failure was reported, which says more than the end of the download."""

    def expect_packages(self, names: Mapping[str, str], on_arrival: Callable[[str], None]) -> None:
        """From now on packages are downloaded.

        :param names: their NEVRAs, by those in full, with an epoch that is 0, too.
        :param on_arrival: called with the NEVRA of each package that is here.
        """
        self._stage = Stage.DOWNLOADING
        self._packages = names
        self._on_arrival = on_arrival
        self._names, self._sizes, self._done, self._ended = [], [], [], set()

    def add_new_download(self, user_data: Any, description: str, total_to_download: float) -> int:
        number = user_data if isinstance(user_data, int) else 0
        known = self._packages.get(description, description)
        name = self.repositories[number - 1] if number else known
        self.failures.pop(name, None)
        self._names.append(name)
        self._sizes.append(max(total_to_download, 0.0))
        self._done.append(0.0)
        return len(self._names)

    def progress(self, user_cb_data: int, total_to_download: float, downloaded: float) -> int:
        index = user_cb_data - 1
        if 0 <= index < len(self._names):
            self._sizes[index] = max(self._sizes[index], total_to_download)
            self._done[index] = downloaded
            self._report(self._names[index])
        return int(_GO_ON)

    def end(self, user_cb_data: int, status: int, message: str | None) -> int:
        index = user_cb_data - 1
        if 0 <= index < len(self._names):
            name = self._names[index]
            if status == _FAILED:
                self.failures[name] = message or "the download failed"
            else:
                self._done[index] = self._sizes[index]
                self._ended.add(index)
                self._report(name)
                self._on_arrival(name)
        return int(_GO_ON)

    def mirror_failure(self, user_cb_data: int, message: str, _url: str, _metadata: str) -> int:
        index = user_cb_data - 1
        if 0 <= index < len(self._names):
            self.reasons[self._names[index]] = message
        return int(_GO_ON)

    def find_reason(self, name: str) -> str:
        """Why what has the name could not be fetched; empty when nothing is known."""
        return self.reasons.get(name) or self.failures.get(name, "")

    def _report(self, name: str) -> None:
        if self._stage is Stage.METADATA:
            # Each repository is a part of the same size.
            parts = [
                1.0 if index in self._ended else min(done / size, 1.0) if size else 0.0
                for index, (done, size) in enumerate(zip(self._done, self._sizes))
            ]
            self._channel.progress(self._stage, sum(parts) / max(len(self.repositories), 1), name)
        else:
            here, total = sum(self._done), sum(self._sizes)
            # Several files are downloaded at once, so there is no name.
            numbers = self._speed.measure(here, total, len(self._ended), len(self._names))
            fraction = here / total if total else 1.0
            self._channel.progress(self._stage, fraction, describe_download(numbers), numbers)


class TransactionProgress(libdnf5.rpm.TransactionCallbacks):  # type: ignore[misc]
    """Reports which package rpm is at, and keeps the warnings of rpm."""

    def __init__(self, channel: Channel, stage: Stage) -> None:
        super().__init__()
        self._channel = channel
        self._stage = stage
        self._position = 0
        self._count = 1
        self._step = -1
        self.began = False
        self.failed: list[str] = []
        self.warnings: list[Text] = []

    def before_begin(self, total: int) -> None:
        self.began = True
        self._count = max(total, 1)

    def transaction_start(self, _total: int) -> None:
        self._channel.progress(self._stage, 0.0)

    def elem_progress(self, item: Any, amount: int, total: int) -> None:
        self._position = amount
        self._count = max(total, 1)
        self._step = -1
        self._report(item, 0.0)

    def install_progress(self, item: Any, amount: int, total: int) -> None:
        # rpm calls for every block that it has written, thousands of times.
        step = _STEPS * amount // total if total else _STEPS
        if step != self._step:
            self._step = step
            self._report(item, step / _STEPS)

    def uninstall_progress(self, item: Any, amount: int, total: int) -> None:
        self.install_progress(item, amount, total)

    def install_stop(self, item: Any, _amount: int, _total: int) -> None:
        self._report(item, 1.0)

    def uninstall_stop(self, item: Any, _amount: int, _total: int) -> None:
        self._report(item, 1.0)

    def unpack_error(self, item: Any) -> None:
        self.failed.append(item.get_package().get_nevra())

    def cpio_error(self, item: Any) -> None:
        self.failed.append(item.get_package().get_nevra())

    def script_error(self, _item: Any, nevra: Any, kind: int, return_code: int) -> None:
        name = libdnf5.rpm.TransactionCallbacks.script_type_to_string(kind)
        self.warnings.append(
            messages.SCRIPTLET_FAILED(kind=name, package=nevra.get_name(), status=return_code)
        )

    def _report(self, item: Any, part: float) -> None:
        position = min(self._position, self._count - 1)
        fraction = (position + min(part, 1.0)) / self._count
        numbers = Numbers(item=position + 1, items=self._count)
        message = messages.PACKAGE_OF_ALL(
            package=item.get_package().get_name(), item=numbers.item, items=numbers.items
        )
        self._channel.progress(self._stage, fraction, message, numbers)


class NoKeys(libdnf5.repo.RepoCallbacks):  # type: ignore[misc]
    """Refuses every key: libdnf5 would import what a repository names, unasked."""

    def repokey_import(self, _key: Any) -> bool:
        return False
