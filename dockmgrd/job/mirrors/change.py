# SPDX-License-Identifier: LGPL-2.1-or-later
"""A change of daemon.json's mirrors: what the file would be, and how to write it and to go back."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid
from dockmgrd.host import atomicfile, daemonjson
from dockmgrd.job.file_change import FileChange
from dockmgrd.mirror_urls import as_known

BACKUP_SUFFIX = ".dockmgrd-backup"


@dataclass(frozen=True)
class Change:
    """daemon.json before and after. `before` is None where there is no file."""

    document: daemonjson.Document
    before: bytes | None
    after: bytes
    wanted: tuple[str, ...]

    @classmethod
    def planned(
        cls, document: daemonjson.Document, before: bytes | None, wanted: tuple[str, ...]
    ) -> Change:
        """A file that names the mirrors already, in whatever spelling, is left as it is."""
        named = daemonjson.MIRRORS_KEY in document.values
        if named and as_known(document.mirrors) == wanted:
            return cls(document, before, before or b"", wanted)
        return cls(document, before, daemonjson.replace_mirrors(document, wanted), wanted)

    def needed(self, in_use: tuple[str, ...]) -> bool:
        """Whether the file has to change; no file is as good as one that names no mirrors.

        :param in_use: the mirrors of the running engine, which only a list clears.
        """
        nothing_to_clear = self.before is None and not self.wanted and not in_use
        return self.after != self.before and not nothing_to_clear

    def write(self) -> None:
        """Write the new file, and keep what was there before beside it."""
        if self.before is not None:
            backup = paths.DAEMON_JSON.with_name(paths.DAEMON_JSON.name + BACKUP_SUFFIX)
            atomicfile.back_up(paths.DAEMON_JSON, backup)
        atomicfile.replace(paths.DAEMON_JSON, self.after)

    def write_with(self, mirrors: tuple[str, ...]) -> None:
        """Write the former file with these mirrors."""
        atomicfile.replace(paths.DAEMON_JSON, daemonjson.replace_mirrors(self.document, mirrors))

    def write_unnamed(self) -> None:
        """Write the new file without its mirrors."""
        new = daemonjson.parse(self.after, str(paths.DAEMON_JSON))
        atomicfile.replace(paths.DAEMON_JSON, daemonjson.remove_mirrors(new))

    def write_again(self) -> None:
        """Write the new file once more, after `write_unnamed`."""
        atomicfile.replace(paths.DAEMON_JSON, self.after)

    def restore(self) -> None:
        """Put the former file back to the byte."""
        if self.before is None:
            atomicfile.remove(paths.DAEMON_JSON)
        else:
            atomicfile.replace(paths.DAEMON_JSON, self.before)

    def diff(self) -> str:
        """The change as a unified diff; "" when there is none."""
        return FileChange(paths.DAEMON_JSON, self.before, self.after).diff()


def read() -> tuple[bytes | None, daemonjson.Document]:
    """daemon.json as it is now, None where there is none, and what it says.

    :raises ConfigInvalid: when it cannot be read or not be changed safely.
    """
    try:
        before = paths.DAEMON_JSON.read_bytes()
    except FileNotFoundError:
        before = None
    except OSError as error:
        raise ConfigInvalid(
            f"{paths.DAEMON_JSON} cannot be read: {error.strerror}; make it a file that root "
            "can read."
        ) from error
    return before, daemonjson.parse(before or b"", str(paths.DAEMON_JSON))


def readable_for_all(path: Path = paths.DAEMON_JSON) -> bool:
    """Whether every user of the host may read the file anyway."""
    target = path.resolve()
    try:
        ways = [target.parent, *target.parent.parents]
        open_ways = all(way.stat().st_mode & stat.S_IXOTH for way in ways)
        return open_ways and bool(target.stat().st_mode & stat.S_IROTH)
    except FileNotFoundError:
        return True
