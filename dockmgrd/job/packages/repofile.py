# SPDX-License-Identifier: LGPL-2.1-or-later
"""The repository file. One that dockmgrd did not write is preserved and restored on Uninstall."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd import paths
from dockmgrd.catalog.platforms import Tree
from dockmgrd.catalog.sources import Source
from dockmgrd.errors import ConfigInvalid, WriteFailed
from dockmgrd.host import atomicfile
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.mirrors.change import is_public
from dockmgrd.messages import packages as messages

_MARK = "# Written by dockmgrd"
_SAVED_SUFFIX = ".dockmgrd-saved"  # dnf reads only names that end in .repo
_MODULES_HIDE_DOCKER_IN = "8"  # EL version whose container-tools module makes dnf do so


@dataclass(frozen=True)
class Repository:
    """Docker's packages for one platform: literal tree and version, so no release can move it."""

    source: Source
    tree: Tree
    channel: str
    url: str = ""
    """Where it is, when that does not follow from the source and the tree."""

    @property
    def id(self) -> str:
        return f"docker-ce-{self.channel}"

    @property
    def base_url(self) -> str:
        if self.url:
            return self.url
        tree = f"{self.tree.distribution}/{self.tree.version}"
        return f"{self.source.prefix}/linux/{tree}/$basearch/{self.channel}"

    @property
    def module_hotfixes(self) -> bool:
        """Whether modules of the system would hide its packages from dnf."""
        return self.tree.version in ("", _MODULES_HIDE_DOCKER_IN)

    def request_fields(self) -> dict[str, Any]:
        """What requests to the package worker say of it, by the names of their fields."""
        return {
            "repository": self.id,
            "key_file": str(self.source.key.file),
            "fingerprint": self.source.key.fingerprint,
            "base_url": self.base_url,
            "module_hotfixes": self.module_hotfixes,
        }

    def content(self) -> str:
        """The content of the repository file."""
        lines = [
            f"{_MARK}; 'dockmgrctl install' changes it, 'dockmgrctl uninstall' removes it.",
            f"[{self.id}]",
            f"name=Docker CE {self.channel} ({self.source.name})",
            f"baseurl={self.base_url}",
            "enabled=1",
            "gpgcheck=1",
            "repo_gpgcheck=0",
            f"gpgkey=file://{self.source.key.file}",
        ]
        if self.module_hotfixes:
            lines.append("module_hotfixes=1")
        return "\n".join(lines) + "\n"


class RepositoryFile:
    """The file in which dnf finds Docker's repository."""

    def __init__(self, path: Path = paths.REPOSITORY) -> None:
        self._path = path
        self._saved = path.with_name(path.name + _SAVED_SUFFIX)

    @contextlib.contextmanager
    def replaced_by(self, repository: Repository) -> Iterator[bool]:
        """Write the repository; when the context is left by an exception, all is as before.

        The context's value is whether the file has changed.

        :raises WriteFailed, InsufficientSpace: when it cannot be written; all is as before.
        """
        wanted = repository.content().encode()
        before = self._read()
        if _is_equivalent(before, wanted):
            yield False
            return
        with contextlib.ExitStack() as undo:
            if before is None:
                undo.callback(atomicfile.remove, self._path)
            elif _is_ours(before):
                undo.callback(atomicfile.replace, self._path, before)
            else:
                saved = self._find_free_name()
                _move(self._path, saved)
                undo.callback(_move, saved, self._path)
            atomicfile.replace(self._path, wanted)
            yield True
            undo.pop_all()

    def plan_change(
        self, repository: Repository | None, *, binding: bool = False
    ) -> FileChange | None:
        """What `replaced_by` would change, or with None `remove`; None when nothing.

        :param binding: whether a plan is about this repository, or about any that can serve it.
        """
        before, public = self._read(), True
        if repository is not None:
            after: bytes | None = repository.content().encode()
        elif before is not None and not _is_ours(before):
            return None
        else:
            after = self._saved.read_bytes() if os.path.isfile(self._saved) else None
            public = is_public(self._saved)
        if _is_equivalent(before, after):
            return None
        return FileChange(self._path, before, after, binding=binding, public=public)

    def require_readable(self) -> None:
        """Check that dnf can read it: a FIFO in its place would block dnf for ever.

        :raises WriteFailed: when it cannot.
        """
        self._read()

    def remove(self) -> bool:
        """Remove our file and put back the one that was there before; whether anything changed.

        A file that dockmgrd did not write stays, even where it has replaced ours.

        :raises WriteFailed: when that is not possible.
        """
        content = self._read()
        if content is not None and not _is_ours(content):
            return False
        if os.path.lexists(self._saved):
            _move(self._saved, self._path)
            return True
        atomicfile.remove(self._path)
        return content is not None

    def _read(self) -> bytes | None:
        try:
            content = atomicfile.read(self._path)
        except ConfigInvalid as error:
            raise WriteFailed(error.text) from error
        # A link to nowhere is somebody's, too.
        return b"" if content is None and os.path.islink(self._path) else content

    def _find_free_name(self) -> Path:
        """Where to keep a file that dockmgrd did not write; one that is kept already stays."""
        name, number = self._saved, 1
        while os.path.lexists(name):
            number += 1
            name = self._saved.with_name(f"{self._saved.name}-{number}")
        return name


def _is_ours(content: bytes) -> bool:
    return content.startswith(_MARK.encode())


def _is_equivalent(before: bytes | None, after: bytes | None) -> bool:
    """Whether the contents are the same, except for the comment at the top of a file of ours.

    Releases word the comment differently. An upgrade of dockmgrd is no reason to write the file.
    """
    if before is None or after is None or not (_is_ours(before) and _is_ours(after)):
        return before == after
    return before.partition(b"\n")[2] == after.partition(b"\n")[2]


def _move(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        raise WriteFailed(
            messages.RENAME_FAILED(
                source=str(source), target=target.name, reason=str(error.strerror)
            ).with_remedy(messages.MAKE_FOLDER_WRITABLE())
        ) from error
