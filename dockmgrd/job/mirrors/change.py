# SPDX-License-Identifier: LGPL-2.1-or-later
"""A change of the mirrors in daemon.json: the new file, writing it, and undoing that."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import ConfigConflict
from dockmgrd.host import atomicfile, daemonjson
from dockmgrd.job.file_change import FileChange
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import normalize_known, strip_password

BACKUP_SUFFIX = ".dockmgrd-backup"


@dataclass(frozen=True)
class Change:
    """daemon.json before and after. `before` is None where there is no file."""

    document: daemonjson.Document
    before: bytes | None
    after: bytes
    wanted: tuple[str, ...]

    @classmethod
    def plan(
        cls, document: daemonjson.Document, before: bytes | None, wanted: tuple[str, ...]
    ) -> Change:
        """The change to these mirrors; a file that names them in any spelling is left alone."""
        named = daemonjson.MIRRORS_KEY in document.values
        if named and normalize_known(document.mirrors) == wanted:
            return cls(document, before, before or b"", wanted)
        return cls(document, before, daemonjson.replace_mirrors(document, wanted), wanted)

    def is_needed(self, in_use: tuple[str, ...]) -> bool:
        """Whether the file has to change; a missing file equals one without mirrors.

        :param in_use: the mirrors of the running engine, which only a list clears.
        """
        nothing_to_clear = self.before is None and not self.wanted and not in_use
        return self.after != self.before and not nothing_to_clear

    def write(self) -> None:
        """Write the new file, and keep the former one beside it.

        :raises ConfigConflict: when the file has been edited since `read_config`.
        """
        if atomicfile.read(paths.DAEMON_JSON) != self.before:
            raise _make_conflict(messages.CONFIG_EDITED(file=str(paths.DAEMON_JSON)))
        if self.before is not None:
            backup = paths.DAEMON_JSON.with_name(paths.DAEMON_JSON.name + BACKUP_SUFFIX)
            atomicfile.back_up(paths.DAEMON_JSON, backup)
        atomicfile.replace(paths.DAEMON_JSON, self.after)

    def write_former_with(self, mirrors: tuple[str, ...]) -> None:
        """Write the former file with these mirrors."""
        atomicfile.replace(paths.DAEMON_JSON, daemonjson.replace_mirrors(self.document, mirrors))

    def write_without_mirrors(self) -> None:
        """Write the new file without its mirrors."""
        new = daemonjson.parse(self.after, str(paths.DAEMON_JSON))
        atomicfile.replace(paths.DAEMON_JSON, daemonjson.remove_mirrors(new))

    def write_again(self) -> None:
        """Write the new file once more, after `write_without_mirrors`."""
        atomicfile.replace(paths.DAEMON_JSON, self.after)

    def restore(self) -> None:
        """Restore the former file, byte for byte."""
        if self.before is None:
            atomicfile.remove_target(paths.DAEMON_JSON)
        else:
            atomicfile.replace(paths.DAEMON_JSON, self.before)

    def diff(self) -> str:
        """The change as a unified diff; "" when there is none."""
        return FileChange(paths.DAEMON_JSON, self.before, self.after).diff()


def read_config() -> tuple[bytes | None, daemonjson.Document]:
    """The bytes of daemon.json, None where there is none, and its parsed content.

    :raises ConfigInvalid: when it cannot be read, or not be changed safely.
    """
    before = atomicfile.read(paths.DAEMON_JSON)
    return before, daemonjson.parse(before or b"", str(paths.DAEMON_JSON))


def require_expected(
    expected: tuple[str, ...] | None, mirrors: tuple[str, ...], file: Path
) -> None:
    """Check that the file names the mirrors on which the caller has based the request.

    :param expected: normal, or None for any.
    :raises ConfigConflict: when it names others.
    """
    if expected is None or normalize_known(mirrors) == expected:
        return
    names = [*map(strip_password, mirrors)] if mirrors else [messages.NO_MIRRORS()]
    raise _make_conflict(messages.OTHER_MIRRORS_EXPECTED(file=str(file), mirrors=names))


def _make_conflict(text: Text) -> ConfigConflict:
    return ConfigConflict(text.with_remedy(messages.REPEAT_AFTER_EDIT()))


def is_public(path: Path = paths.DAEMON_JSON) -> bool:
    """Whether every user of the host can read the file."""
    target = path.resolve()
    try:
        folders = [target.parent, *target.parent.parents]
        is_reachable = all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)
        return is_reachable and bool(target.stat().st_mode & stat.S_IROTH)
    except FileNotFoundError:
        return True
    except OSError:
        return False
