# SPDX-License-Identifier: LGPL-2.1-or-later
"""`mirror-watch` of the administrator's file, and the timer that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from dockmgrd import names, paths
from dockmgrd.errors import InvalidArgs, quote
from dockmgrd.host.yamltree import Entry
from dockmgrd.messages import limits as messages
from dockmgrd.mirror_urls import normalize_registry
from dockmgrd.names import DOCKER_HUB

_KEYS = ("every", "choose-from", "registries")
_TIME = re.compile(r"([1-9][0-9]{0,4})(min|h|d)")
_UNITS = {"min": 60, "h": 3600, "d": 86400}
MIN_SECONDS = 600
MAX_SECONDS = 7 * 86400
_FIRST_RUN = 300  # seconds after the timer has started


class Choice(Enum):
    """Where a mirror that takes the first place may come from."""

    CONFIGURED = "configured"
    CANDIDATES = "candidates"
    """Also the candidates whose hosts are in `allowed-mirrors`."""


@dataclass(frozen=True)
class MirrorWatch:
    """The settings of the mirror watch."""

    every: int
    """Seconds between two runs."""
    choose_from: Choice = Choice.CONFIGURED
    registries: tuple[str, ...] = (DOCKER_HUB,)


def parse(entry: Entry) -> MirrorWatch:
    """:raises Malformed: naming the line and the key that is wrong."""
    members = entry.members()
    for name, member in members.items():
        if name not in _KEYS:
            raise member.make_error(messages.WATCH_KEY_UNKNOWN(key=quote(name), keys=list(_KEYS)))
    if "every" not in members:
        raise entry.make_error(messages.WATCH_WITHOUT_INTERVAL(example="every: 6h"))
    every = _parse_time(members["every"])
    choice, registries = Choice.CONFIGURED, [DOCKER_HUB]
    if "choose-from" in members:
        choice = _parse_choice(members["choose-from"])
    if "registries" in members:
        registries += map(_parse_registry, members["registries"].items())
    return MirrorWatch(every, choice, tuple(dict.fromkeys(registries)))


def _parse_time(entry: Entry) -> int:
    match = _TIME.fullmatch(entry.text())
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        interval = quote(entry.text())
        raise entry.make_error(messages.WATCH_INTERVAL_NOT_VALID(interval=interval))
    return seconds


def _parse_choice(entry: Entry) -> Choice:
    known = {each.value: each for each in Choice}
    if entry.text() not in known:
        choice = quote(entry.text())
        raise entry.make_error(messages.WATCH_CHOICE_UNKNOWN(choice=choice, choices=list(known)))
    return known[entry.text()]


def _parse_registry(entry: Entry) -> str:
    try:
        return normalize_registry(entry.text())
    except InvalidArgs as error:
        text = messages.LIMIT_NOT_VALID(key="mirror-watch", reason=error.text)
        raise entry.make_error(text) from error


def render_timer(watch: MirrorWatch) -> str:
    """The timer unit. Runs of many hosts are spread over a tenth of the time between two."""
    return f"""\
# Generated from {paths.ADMIN_CONFIG}.
[Unit]
Description=Timer of the mirror watch of dockmgrd
Documentation=man:dockmgrd.yaml(5)
SourcePath={paths.ADMIN_CONFIG}

[Timer]
Unit={names.WATCH_UNIT}
OnActiveSec={_FIRST_RUN}
OnUnitActiveSec={watch.every}
RandomizedDelaySec={watch.every // 10}
"""


def read_timer() -> str:
    """The timer unit that systemd's generator has written; "" when there is none."""
    try:
        return (paths.GENERATED_UNITS / names.WATCH_TIMER).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
