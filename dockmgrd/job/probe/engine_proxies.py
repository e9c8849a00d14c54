# SPDX-License-Identifier: LGPL-2.1-or-later
"""The proxies that the running engine uses, with the credentials that its /info leaves out.

moby's daemon takes a proxy from its flags or daemon.json's "proxies", or else from its environment,
and masks user and password in its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dockmgrd.errors import ConfigInvalid
from dockmgrd.host.command_line import CommandLine
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState
from dockmgrd.job.mirrors import change
from dockmgrd.job.probe.proxies import Proxies, Proxy


def make_proxies(facts: EngineFacts) -> Proxies:
    """The proxies that the facts name."""
    return Proxies(facts.http_proxy, facts.https_proxy, facts.no_proxy)


async def add_credentials(systemd: Systemd, unit: UnitState, facts: EngineFacts) -> EngineFacts:
    """The facts with the user and password of the proxies, where the host's files have them.

    The result holds secrets and must not be shown.

    :param unit: the state of docker.service.
    """
    if not any(_is_masked(proxy) for proxy in (facts.http_proxy, facts.https_proxy)):
        return facts
    command_line = await CommandLine.read(systemd, unit)
    return replace(
        facts,
        http_proxy=_find_credentials(facts.http_proxy, command_line, "http"),
        https_proxy=_find_credentials(facts.https_proxy, command_line, "https"),
    )


def _is_masked(text: str) -> bool:
    proxy = Proxy.parse(text)
    return proxy is not None and proxy.is_masked


def _find_credentials(said: str, command_line: CommandLine, scheme: str) -> str:
    """The setting of the proxy that the engine reports, with its credentials."""
    wanted = Proxy.parse(said)
    if wanted is None or not wanted.is_masked:
        return said
    for text in _list_settings(command_line, scheme):
        found = Proxy.parse(text)
        if found is not None and found.user is not None and found.is_at(wanted):
            return text
    return said


def _list_settings(command_line: CommandLine, scheme: str) -> Iterator[str]:
    """The settings of the proxy in the host's files, the one that wins first."""
    yield command_line.get_value(f"--{scheme}-proxy")
    try:
        proxies = change.read_config()[1].values.get("proxies")
    except ConfigInvalid:
        proxies = None  # The engine read it before it became invalid.
    if isinstance(proxies, dict):
        yield str(proxies.get(f"{scheme}-proxy", ""))
    for name in (f"{scheme}_proxy".upper(), f"{scheme}_proxy"):
        yield command_line.environment.get(name, "")
