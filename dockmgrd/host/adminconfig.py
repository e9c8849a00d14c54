# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the administrator of this host limits for everybody, in /etc/dockmgrd/dockmgrd.yaml."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from dockmgrd import names, paths
from dockmgrd.errors import AccessDenied, DockmgrError, InvalidArgs, quote
from dockmgrd.host import atomicfile, regular_files, watch_config, yamltree
from dockmgrd.host.filecache import Stamp, read_stamp
from dockmgrd.host.hidden_files import is_hidden
from dockmgrd.host.watch_config import Choice, MirrorWatch
from dockmgrd.host.yamltree import Entry, Malformed
from dockmgrd.messages import limits
from dockmgrd.messages import requests as messages
from dockmgrd.messages.text import NOTHING, Text, foreign_text
from dockmgrd.mirror_urls import normalize_registry
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.packages import FASTEST, InstallOptions, ListVersionsOptions
from dockmgrd.options.validation import Options

_KEYS = ("default-source", "allowed-sources", "allowed-mirrors", "idle-seconds", "mirror-watch")
_SOURCE = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HOST = re.compile(r"(\*\.)?([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?")
_MAX_IDLE_SECONDS = 86400
_OTHER_REGISTRIES = "*"


@dataclass(frozen=True)
class Limits:
    """The limits. None stands for a list that the administrator has not made."""

    default_source: str = "official"
    """Names with commas between them: where packages come from when the caller names nothing."""
    allowed_sources: tuple[str, ...] | None = None
    allowed_mirrors: Mapping[str, tuple[str, ...]] | None = None
    """By registry, or "*" for those without a list of their own: hosts as `host`, `host:port`, or
    `*.domain` for all below it; without a port it is 443."""
    idle_seconds: float = 30.0
    """How long the daemon stays when nobody needs it."""
    mirror_watch: MirrorWatch | None = None
    """None where mirrors are not watched."""

    def admits(self, mirror: str, registry: str = DOCKER_HUB) -> bool:
        """Whether the list of mirror hosts for the registry has the host of the URL.

        Without any list, every mirror is admitted.
        """
        if self.allowed_mirrors is None:
            return True
        others = self.allowed_mirrors.get(_OTHER_REGISTRIES, ())
        return _is_listed(mirror, self.allowed_mirrors.get(registry, others))

    def allows(self, source: str) -> bool:
        """Whether packages may come from the source of that name."""
        return self.allowed_sources is None or source in self.allowed_sources

    def check(self, parsed: Options) -> None:
        """:raises AccessDenied: when packages would come from a source that is not allowed."""
        if not isinstance(parsed, (InstallOptions, ListVersionsOptions)):
            return
        for name in parsed.sources:
            # Of the fastest, only those that are allowed are measured.
            if name != FASTEST and not self.allows(name) and not getattr(parsed, "repo_url", ""):
                text = messages.SOURCE_NOT_ALLOWED(
                    source=name,
                    path=str(paths.ADMIN_CONFIG),
                    allowed=list(self.allowed_sources or ()),
                )
                raise AccessDenied(text.with_remedy(messages.CHOOSE_ALLOWED_SOURCE()))


DEFAULT = Limits()
# Nobody knows which hosts an unreadable file lists. Until it is fixed, no mirror is listed.
FALLBACK = replace(DEFAULT, allowed_mirrors={})


def read(path: Path) -> Limits:
    """The limits that the file sets.

    :raises Malformed: naming the line and the key that is wrong.
    :raises OSError: when the file cannot be read.
    """
    members = yamltree.read(path).members()
    for name, entry in members.items():
        if name not in _KEYS:
            raise entry.make_error(limits.LIMIT_UNKNOWN(key=quote(name), keys=list(_KEYS)))
    config = DEFAULT
    if "allowed-sources" in members:
        allowed = tuple(map(_source, members["allowed-sources"].items()))
        if not allowed:
            raise members["allowed-sources"].make_error(limits.NO_SOURCE_ALLOWED())
        config = replace(config, allowed_sources=allowed, default_source=",".join(allowed))
    if "default-source" in members:
        config = replace(config, default_source=_default(members["default-source"], config))
    if "allowed-mirrors" in members:
        config = replace(config, allowed_mirrors=_hosts(members["allowed-mirrors"]))
    if "idle-seconds" in members:
        config = replace(config, idle_seconds=_seconds(members["idle-seconds"]))
    if "mirror-watch" in members:
        config = replace(config, mirror_watch=_watch(members["mirror-watch"], config))
    return config


def load(
    path: Path = paths.ADMIN_CONFIG, good: Path = paths.LAST_GOOD_CONFIG
) -> tuple[Limits, Text]:
    """The limits in force, and what is wrong with the file: `NOTHING` if it is valid.

    If the file is not valid, its last valid content stays in force, of which `good` is a copy.
    """
    try:
        return read(path), NOTHING
    except FileNotFoundError as error:
        if not is_hidden(path):
            return DEFAULT, NOTHING
        problem = limits.LIMITS_NOT_READABLE(path=str(path), reason=str(error.strerror))
    except Malformed as error:
        problem = error.text
    except OSError as error:
        problem = limits.LIMITS_NOT_READABLE(path=str(path), reason=error.strerror or str(error))
    try:
        return read(good), limits.LIMITS_KEPT(problem=problem)
    except (Malformed, OSError):
        return FALLBACK, limits.LIMITS_UNKNOWN(
            problem=problem, action=names.ACTION_SET_MIRROR_INSECURE
        )


class LimitsFile:
    """The limits as the file has them now; it is read again when it has changed.

    The daemon keeps a copy of each content that is good, for itself and for jobs.
    """

    def __init__(
        self, path: Path = paths.ADMIN_CONFIG, good: Path = paths.LAST_GOOD_CONFIG
    ) -> None:
        self._path = path
        self._good = good
        self._stamp: Stamp | None = None
        self._config = DEFAULT
        self.problem = NOTHING

    def current(self) -> Limits:
        stamp = read_stamp((self._path,))
        if stamp != self._stamp:
            self._config, self.problem = load(self._path, self._good)
            self._stamp = stamp
            if not self.problem:
                self._keep()
        return self._config

    def _keep(self) -> None:
        """Have `good` be what the file is. That it cannot be kept makes the file no worse."""
        try:
            if os.path.exists(self._path):
                content = regular_files.read_bytes(self._path)
                if not os.path.exists(self._good) or self._good.read_bytes() != content:
                    atomicfile.replace(self._good, content, mode=0o600)
            elif os.path.exists(self._good):
                atomicfile.remove(self._good)
        except (OSError, DockmgrError) as error:
            reason = error.text if isinstance(error, DockmgrError) else foreign_text(str(error))
            self.problem = limits.LIMITS_NOT_SAVED(path=str(self._good), reason=reason)


def _is_listed(mirror: str, hosts: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(mirror)
        port = parts.port or 443
    except ValueError:
        return False
    if parts.scheme != "https" or not parts.hostname:
        return False
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.rstrip(".")
    for host in hosts:
        pattern, _, number = host.rpartition(":") if _has_port(host) else (host, "", "443")
        below = pattern.startswith("*.") and name.endswith(pattern[1:])
        if (name == pattern or below) and port == int(number):
            return True
    return False


def _has_port(host: str) -> bool:
    return not host.endswith("]") and ":" in host


def _source(entry: Entry) -> str:
    if not _SOURCE.fullmatch(entry.text()):
        raise entry.make_error(_describe_source("allowed-sources", entry.text()))
    return entry.text()


def _describe_source(key: str, name: str) -> Text:
    return limits.LIMIT_NOT_SOURCE(key=key, source=quote(name))


def _default(entry: Entry, config: Limits) -> str:
    wanted = [each.strip() for each in entry.text().split(",")]
    if wanted == [FASTEST]:
        return FASTEST
    for name in wanted:
        if name == FASTEST:
            raise entry.make_error(limits.DEFAULT_WITH_OTHERS(source=quote(name)))
        if not _SOURCE.fullmatch(name):
            raise entry.make_error(_describe_source("default-source", name))
        if config.allowed_sources is not None and name not in config.allowed_sources:
            raise entry.make_error(limits.DEFAULT_NOT_ALLOWED(source=quote(name)))
    return ",".join(wanted)


def _hosts(entry: Entry) -> dict[str, tuple[str, ...]]:
    """The lists by registry; a list without one is for all of them."""
    if not isinstance(entry.value, Mapping):
        return {_OTHER_REGISTRIES: tuple(map(_host, entry.items()))}
    return {
        _registry(name, hosts): tuple(map(_host, hosts.items()))
        for name, hosts in entry.members().items()
    }


def _registry(name: str, entry: Entry) -> str:
    if name == _OTHER_REGISTRIES:
        return name
    try:
        registry = normalize_registry(name)
    except InvalidArgs as error:
        text = limits.LIMIT_NOT_VALID(key="allowed-mirrors", reason=error.text)
        raise entry.make_error(text) from error
    if registry != name:
        text = limits.REGISTRY_NOT_NORMAL(registry=quote(name), normal=quote(registry))
        raise entry.make_error(text)
    return registry


def _host(entry: Entry) -> str:
    text = entry.text().lower()
    if not _HOST.fullmatch(text):
        raise entry.make_error(limits.LIMIT_NOT_HOST(host=quote(text)))
    return text


def _watch(entry: Entry, config: Limits) -> MirrorWatch:
    """Candidates are mirrors of others, so the administrator has to list those to use."""
    watch = watch_config.parse(entry)
    if watch.choose_from is Choice.CANDIDATES and config.allowed_mirrors is None:
        raise entry.make_error(limits.CANDIDATES_WITHOUT_LIST())
    return watch


def _seconds(entry: Entry) -> float:
    text = entry.text()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MAX_IDLE_SECONDS):
        raise entry.make_error(limits.IDLE_NOT_VALID(seconds=quote(text), max=_MAX_IDLE_SECONDS))
    return float(text)
