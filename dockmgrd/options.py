# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each verb accepts: option keys, their types, and what their values must look like.

The daemon checks before it asks polkit; the job checks the request file again with the same code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union
from urllib.parse import urlsplit

from dockmgrd.errors import InvalidArgs, LimitsExceeded
from dockmgrd.model import Kind

MAX_STRING = 1024
MAX_LIST = 16

SIGNATURES: Mapping[Kind, Mapping[str, str]] = {
    Kind.INSTALL: {
        "source": "s",
        "channel": "s",
        "version": "s",
        "minimal": "b",
        "mirrors": "as",
        "replace-conflicting": "b",
        "start": "b",
        "enable": "b",
    },
    Kind.SET_MIRROR: {"mirrors": "as"},
    Kind.UNINSTALL: {"purge-data": "b", "keep-config": "b", "force": "b"},
}
"""D-Bus signature of every option. `interactive` is taken off by the daemon before."""

CHANNELS = ("stable", "test")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._+~-]*")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


@dataclass(frozen=True)
class InstallOptions:
    source: str = "official"
    channel: str = "stable"
    version: str = ""
    minimal: bool = False
    mirrors: tuple[str, ...] | None = None
    replace_conflicting: bool = False
    start: bool = True
    enable: bool = True

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> InstallOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _checked(Kind.INSTALL, options)
        if "source" in values and not _NAME.fullmatch(values["source"]):
            raise InvalidArgs(
                f"Option 'source' is {_shown(values['source'])}, which cannot be the name of a "
                "source; 'dockmgrctl sources' lists them."
            )
        if values.get("channel", "stable") not in CHANNELS:
            raise InvalidArgs(
                f"Option 'channel' is {_shown(values['channel'])}; Docker has the channels "
                f"{' and '.join(CHANNELS)}."
            )
        if values.get("version") and not _VERSION.fullmatch(values["version"]):
            raise InvalidArgs(
                f"Option 'version' is {_shown(values['version'])}; write it like 28.5.1."
            )
        if "mirrors" in values:
            values["mirrors"] = normalise_mirrors(values["mirrors"])
        return cls(**values)


@dataclass(frozen=True)
class SetMirrorOptions:
    mirrors: tuple[str, ...]

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> SetMirrorOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option or the URL that is wrong."""
        values = _checked(Kind.SET_MIRROR, options)
        if "mirrors" not in values:
            raise InvalidArgs("SetMirror needs the list of mirrors; an empty one clears it.")
        return cls(mirrors=normalise_mirrors(values["mirrors"]))


@dataclass(frozen=True)
class UninstallOptions:
    purge_data: bool = False
    keep_config: bool = False
    force: bool = False

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> UninstallOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        return cls(**_checked(Kind.UNINSTALL, options))


Options = Union[InstallOptions, SetMirrorOptions, UninstallOptions]


def parse(kind: Kind, options: Mapping[str, Any]) -> Options:
    """Checked options of the verb; see the class of each for what it raises."""
    return _PARSERS[kind](options)


def normalise_mirrors(urls: list[str]) -> tuple[str, ...]:
    """The mirrors as dockerd will list them: one trailing slash, no doubles, order kept.

    The rules are moby's own (daemon/pkg/registry ValidateMirror).

    :raises InvalidArgs: naming the URL and what is wrong with it.
    """
    return tuple(dict.fromkeys(normalise_mirror(url) for url in urls))


def normalise_mirror(url: str) -> str:
    """One mirror's URL with a single trailing slash.

    :raises InvalidArgs: for anything that dockerd would refuse or that no registry could be.
    """
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise InvalidArgs(f"Mirror {_shown(url)} has a space or a control character in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidArgs(f"Mirror {_shown(url)} is no URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidArgs(
            f"Mirror {_shown(url)} is no URL of a registry; write it like https://mirror.example."
        )
    if "@" in parts.netloc:
        raise InvalidArgs(
            f"Mirror at {_shown(parts.hostname)} has a user name in its URL, which dockerd "
            "refuses; use 'docker login' for a registry that asks for one."
        )
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise InvalidArgs(f"Mirror {_shown(url)} has a query or fragment; give its root alone.")
    if port == 0 or not (":" in parts.hostname or _HOST.fullmatch(parts.hostname)):
        raise InvalidArgs(f"Mirror {_shown(url)} names no possible host and port.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def insecure(mirrors: tuple[str, ...]) -> bool:
    """Whether one of them would be spoken to without TLS."""
    return any(url.startswith("http://") for url in mirrors)


def _checked(kind: Kind, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as keyword arguments, each known and of its type."""
    accepted = SIGNATURES[kind]
    values = {}
    for key, value in options.items():
        if key not in accepted:
            raise InvalidArgs(
                f"Unknown option {_shown(key)}; {kind.value} takes {', '.join(sorted(accepted))}."
            )
        if not _has_type(value, accepted[key]):
            raise InvalidArgs(f"Option '{key}' must have D-Bus type '{accepted[key]}'.")
        _check_size(key, value)
        values[key.replace("-", "_")] = value
    return values


def _has_type(value: object, signature: str) -> bool:
    if signature == "as":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, bool if signature == "b" else str)


def _check_size(key: str, value: object) -> None:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > MAX_LIST:
        raise LimitsExceeded(f"Option '{key}' holds more than {MAX_LIST} entries.")
    if any(isinstance(text, str) and len(text) > MAX_STRING for text in texts):
        raise LimitsExceeded(f"Option '{key}' is longer than {MAX_STRING} characters.")


def _shown(text: str) -> str:
    """The caller's text, short and without anything that could steer a terminal or a log."""
    clean = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    return f"'{clean[:80]}…'" if len(clean) > 80 else f"'{clean}'"


_PARSERS: Mapping[Kind, Callable[[Mapping[str, Any]], Options]] = {
    Kind.INSTALL: InstallOptions.parse,
    Kind.SET_MIRROR: SetMirrorOptions.parse,
    Kind.UNINSTALL: UninstallOptions.parse,
}
