# SPDX-License-Identifier: LGPL-2.1-or-later
"""The certificates and keys of a registry that lie beside its hosts.toml."""

from __future__ import annotations

import os
from pathlib import Path

from dockmgrd.errors import ConfigConflict, ConfigInvalid
from dockmgrd.host.hosts_toml import Certificates
from dockmgrd.host.registry_folders import HOSTS_TOML
from dockmgrd.messages import files as file_messages
from dockmgrd.messages import registries as messages


def read_certificates(folder: Path, *, relative: bool) -> Certificates:
    """The certificates and keys that the engine loads from the folder where it has no hosts.toml.

    :param relative: whether their paths are relative to the folder.
    :raises ConfigInvalid: when the folder cannot be read.
    :raises ConfigConflict: when the name of a file cannot stand in a hosts.toml.
    """
    try:
        names = sorted(each.name for each in os.scandir(folder) if not os.path.isdir(each))
    except (FileNotFoundError, NotADirectoryError):
        return Certificates()
    except OSError as error:
        reason = error.strerror or str(error)
        text = file_messages.READ_FAILED(file=str(folder), reason=reason)
        remedy = file_messages.CORRECT_PATH()
        raise ConfigInvalid(text.with_remedy(remedy, f"ls -ld {folder}")) from error

    def make_path(name: str) -> str:
        if name.encode("utf-8", "replace").decode() != name:
            text = messages.CERTIFICATE_NAME_NOT_TEXT(
                file=ascii(str(folder / name)), hosts=HOSTS_TOML
            )
            raise ConfigConflict(text.with_remedy(messages.RENAME_FILE()))
        return name if relative else str(folder / name)

    authorities = tuple(make_path(name) for name in names if name.endswith(".crt"))
    pairs = []
    for name in names:
        if name.endswith(".cert"):
            key = f"{name[: -len('.cert')]}.key"
            # The engine looks for the key in the certificate's file where it has none of its own.
            pairs.append((make_path(name), make_path(key if key in names else name)))
    return Certificates(authorities, tuple(pairs))
