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

from dockmgrd.errors import InvalidArgs, LimitsExceeded, shown
from dockmgrd.mirror_urls import Mode, normalise_mirrors
from dockmgrd.model import Kind
from dockmgrd.verbs import SIGNATURES

MAX_STRING = 1024
MAX_LIST = 16
MAX_PROBED = 256
SECONDS_TO_PROBE = 10
_MAX_SECONDS_TO_PROBE = 60
SECONDS_TO_WAIT_FOR_LOCK = 60
_MAX_LOCK_WAIT = 24 * 3600

LATEST = "latest"
"""The version that stands for the newest of the source, whatever is installed."""
CHANNELS = ("stable", "test")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._+~-]*")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_PLATFORM = re.compile(r"[a-z][a-z0-9-]*/[0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class InstallOptions:
    """What Install takes."""

    source: str = "official"
    """Names of sources, with commas between them, in the order to try."""
    channel: str = "stable"
    version: str = ""
    platform: str = ""
    """TREE/VERSION, such as rhel/9; empty for what this host is."""
    containerd_rpm: str = ""
    repo_url: str = ""
    minimal: bool = False
    completion: bool = False
    mirrors: tuple[str, ...] | None = None
    replace_conflicting: bool = False
    start: bool = True
    enable: bool = True
    lock_wait: int = SECONDS_TO_WAIT_FOR_LOCK
    """Seconds to wait while another process works with packages."""
    upgrade: bool = False
    """Whether installed packages of Docker's go to the newest that the source has."""
    dry_run: bool = False
    plan: str = ""
    """Digest of the plan that the caller has seen and agreed to."""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> InstallOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _checked(Kind.INSTALL, options)
        _check_origin(values)
        if values.get("version") == LATEST:
            values.update(version="", upgrade=True)
        if values.get("version") and not _VERSION.fullmatch(values["version"]):
            raise InvalidArgs(
                f"Option 'version' is {shown(values['version'])}; write it like 28.5.1."
            )
        for key in ("containerd_rpm", "repo_url"):
            if values.get(key):
                _check_url(key.replace("_", "-"), values[key])
        if values.get("repo_url") and values.get("source"):
            raise InvalidArgs("Options 'repo-url' and 'source' exclude each other; give one.")
        _check_lock_wait(values)
        _check_plan(values)
        if "mirrors" in values:
            values["mirrors"] = normalise_mirrors(values["mirrors"])
        return cls(**values)

    @property
    def sources(self) -> tuple[str, ...]:
        return split_sources(self.source)


@dataclass(frozen=True)
class ListVersionsOptions:
    """What ListVersions takes; its keys mean what they mean for Install."""

    source: str = "official"
    channel: str = "stable"
    platform: str = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> ListVersionsOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _checked(Kind.LIST_VERSIONS, options)
        _check_origin(values)
        return cls(**values)

    @property
    def sources(self) -> tuple[str, ...]:
        return split_sources(self.source)


@dataclass(frozen=True)
class SetMirrorOptions:
    """What SetMirror takes; `mirrors` are normalised."""

    mirrors: tuple[str, ...]
    mode: Mode = Mode.REPLACE
    verify: bool = False
    dry_run: bool = False

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> SetMirrorOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option or the URL that is wrong."""
        values = _checked(Kind.SET_MIRROR, options)
        if "mirrors" not in values:
            raise InvalidArgs("SetMirror needs the list of mirrors; an empty one clears it.")
        mode = values.setdefault("mode", Mode.REPLACE.value)
        if mode not in {each.value for each in Mode}:
            raise InvalidArgs(f"Option 'mode' is {shown(mode)}; it is replace, append or remove.")
        values["mode"] = Mode(mode)
        values["mirrors"] = normalise_mirrors(values["mirrors"])
        if not values["mirrors"] and values["mode"] is not Mode.REPLACE:
            raise InvalidArgs(f"There is no mirror to {mode}; give the URL of one at least.")
        return cls(**values)


@dataclass(frozen=True)
class ProbeOptions:
    """What ProbeMirrors takes."""

    mirrors: tuple[str, ...] = ()
    """Empty for all candidates of the catalogue."""
    timeout: int = SECONDS_TO_PROBE
    """Seconds for each mirror."""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> ProbeOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option or the URL that is wrong."""
        values = _checked(Kind.PROBE, options)
        if not 1 <= values.get("timeout", SECONDS_TO_PROBE) <= _MAX_SECONDS_TO_PROBE:
            raise InvalidArgs(f"Option 'timeout' is 1 to {_MAX_SECONDS_TO_PROBE} seconds.")
        return cls(**{**values, "mirrors": normalise_mirrors(values.get("mirrors", []))})


@dataclass(frozen=True)
class UninstallOptions:
    """What Uninstall takes; `lock_wait` and `plan` mean what they mean for Install."""

    purge_data: bool = False
    keep_config: bool = False
    force: bool = False
    lock_wait: int = SECONDS_TO_WAIT_FOR_LOCK
    dry_run: bool = False
    plan: str = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> UninstallOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _checked(Kind.UNINSTALL, options)
        _check_lock_wait(values)
        _check_plan(values)
        return cls(**values)


Options = Union[
    InstallOptions, SetMirrorOptions, ProbeOptions, UninstallOptions, ListVersionsOptions
]


def parse(kind: Kind, options: Mapping[str, Any]) -> Options:
    """Checked options of the verb; see the class of each for what it raises."""
    return _PARSERS[kind](options)


def split_sources(text: str) -> tuple[str, ...]:
    """The names in a list with commas, each once."""
    return tuple(dict.fromkeys(text.split(",")))


def _check_origin(values: Mapping[str, Any]) -> None:
    """:raises InvalidArgs: when source, channel or platform cannot be one."""
    for name in split_sources(values.get("source", "official")):
        if not _NAME.fullmatch(name):
            raise InvalidArgs(
                f"Option 'source' has {shown(name)}, which cannot be the name of a source; "
                "'dockmgrctl sources' lists them."
            )
    if values.get("channel", "stable") not in CHANNELS:
        raise InvalidArgs(
            f"Option 'channel' is {shown(values['channel'])}; Docker has the channels "
            f"{' and '.join(CHANNELS)}."
        )
    if values.get("platform") and not _PLATFORM.fullmatch(values["platform"]):
        raise InvalidArgs(
            f"Option 'platform' is {shown(values['platform'])}; write it like rhel/9."
        )


def _check_url(key: str, url: str) -> None:
    """:raises InvalidArgs: for what is no address that may be fetched by root."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and parts.hostname and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidArgs(
            f"Option '{key}' is {shown(url)}; give an address that begins with https:// and has no "
            "user name and no space in it."
        )


def _check_lock_wait(values: Mapping[str, Any]) -> None:
    """:raises InvalidArgs: when nobody could mean to wait so long."""
    if not 0 <= values.get("lock_wait", 0) <= _MAX_LOCK_WAIT:
        raise InvalidArgs(f"Option 'lock-wait' is 0 to {_MAX_LOCK_WAIT} seconds.")


def _check_plan(values: Mapping[str, Any]) -> None:
    """:raises InvalidArgs: when the plan is no digest, or is asked for and agreed to at once."""
    if values.get("plan") and not _DIGEST.fullmatch(values["plan"]):
        raise InvalidArgs(
            f"Option 'plan' is {shown(values['plan'])}; give the 'digest' that a dry run tells."
        )
    if values.get("plan") and values.get("dry_run"):
        raise InvalidArgs("Options 'plan' and 'dry-run' exclude each other; give one.")


def _checked(kind: Kind, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as keyword arguments, each known and of its type."""
    accepted = SIGNATURES[kind]
    values = {}
    for key, value in options.items():
        if key not in accepted:
            raise InvalidArgs(
                f"Unknown option {shown(key)}; {kind.value} takes {', '.join(sorted(accepted))}."
            )
        if not _has_type(value, accepted[key]):
            raise InvalidArgs(f"Option '{key}' must have D-Bus type '{accepted[key]}'.")
        _check_size(key, value, MAX_PROBED if kind is Kind.PROBE else MAX_LIST)
        values[key.replace("-", "_")] = value
    return values


def _has_type(value: object, signature: str) -> bool:
    if signature == "as":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if signature == "u":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, bool if signature == "b" else str)


def _check_size(key: str, value: object, longest_list: int) -> None:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > longest_list:
        raise LimitsExceeded(f"Option '{key}' holds more than {longest_list} entries.")
    if any(isinstance(text, str) and len(text) > MAX_STRING for text in texts):
        raise LimitsExceeded(f"Option '{key}' is longer than {MAX_STRING} characters.")


_PARSERS: Mapping[Kind, Callable[[Mapping[str, Any]], Options]] = {
    Kind.INSTALL: InstallOptions.parse,
    Kind.SET_MIRROR: SetMirrorOptions.parse,
    Kind.PROBE: ProbeOptions.parse,
    Kind.UNINSTALL: UninstallOptions.parse,
    Kind.LIST_VERSIONS: ListVersionsOptions.parse,
}
