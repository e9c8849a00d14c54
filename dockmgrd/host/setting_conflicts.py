# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings that are options of dockerd and in its configuration file: it does not start then.

As moby's daemon/config/config.go has it (findConfigurationConflicts).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from dockmgrd import names
from dockmgrd.host.command_line import CommandLine
from dockmgrd.messages import engine as messages
from dockmgrd.messages.text import Text

_DEFAULT_WORDS = ("/usr/bin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock")
DEFAULT_COMMAND_LINE = CommandLine(
    _DEFAULT_WORDS, (Path("/usr/lib/systemd/system", names.DOCKER_UNIT),), (), {}
)
"""How the unit of Docker's package starts dockerd."""
_LONG_NAMES = {
    "-D": "--debug",
    "-G": "--group",
    "-H": "--host",
    "-b": "--bridge",
    "-g": "--graph",
    "-l": "--log-level",
    "-p": "--pidfile",
    "-s": "--storage-driver",
}
_UNUSUAL_KEYS = {"--insecure-registry": "insecure-registries"}
# Options that dockerd adds to what the file says, or that are none of the file's.
_COMBINED = ("--add-runtime", "--config-file", "--validate")


def find_conflicts(command_line: CommandLine, keys: Collection[str], file: str) -> Iterator[Text]:
    """A sentence for each setting in both places, with the way out.

    :param keys: the keys of the configuration file.
    :param file: its name in the sentences.
    """
    for word, option in _list_options(command_line.words):
        key = _find_key(option, keys)
        if key:
            text = messages.SETTING_TWICE(
                file=file, key=key, flag=option, place=command_line.find_place(word)
            )
            command = f"systemctl edit {names.DOCKER_UNIT}"
            yield text.with_remedy(messages.REMOVE_KEY_OR_FLAG(), command)


def _list_options(words: Sequence[str]) -> list[tuple[str, str]]:
    """Each option as it is written, without its value, and its long name; each name once."""
    options: dict[str, str] = {}
    for word in words[1:]:
        written = word.partition("=")[0] if word.startswith("--") else word[:2]
        name = _LONG_NAMES.get(written, written)
        if name.startswith("--") and name not in _COMBINED:
            options.setdefault(name, written)
    return [(written, name) for name, written in options.items()]


def _find_key(option: str, keys: Collection[str]) -> str:
    """The key of the file that is the same setting; "" when the file does not have it."""
    name = option[2:]
    possible = (name, f"{name}s", _UNUSUAL_KEYS.get(option, name))
    return next((key for key in possible if key in keys), "")
