# SPDX-License-Identifier: LGPL-2.1-or-later
"""The proxies that the running engine uses, with the credentials that its /info leaves out.

moby's daemon takes a proxy from its flags or daemon.json's "proxies", or else from its environment,
and masks the user and password of what it tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dockmgrd.errors import ConfigInvalid
from dockmgrd.host.dockerd import CommandLine
from dockmgrd.host.engine import EngineFacts
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState
from dockmgrd.job.mirrors import change
from dockmgrd.job.probe.proxies import Proxies, Proxy


def of(facts: EngineFacts) -> Proxies:
    """The proxies that the facts name."""
    return Proxies(facts.http_proxy, facts.https_proxy, facts.no_proxy)


async def with_credentials(systemd: Systemd, unit: UnitState, facts: EngineFacts) -> EngineFacts:
    """The facts, their proxies with user and password where the host's files have them.

    What comes back holds secrets, and must not be shown.

    :param unit: the state of docker.service.
    """
    if not any(_masked(proxy) for proxy in (facts.http_proxy, facts.https_proxy)):
        return facts
    command_line = await CommandLine.read(systemd, unit)
    return replace(
        facts,
        http_proxy=_unmasked(facts.http_proxy, command_line, "http"),
        https_proxy=_unmasked(facts.https_proxy, command_line, "https"),
    )


def _masked(text: str) -> bool:
    proxy = Proxy.parse(text)
    return proxy is not None and proxy.masked


def _unmasked(said: str, command_line: CommandLine, scheme: str) -> str:
    """The place where the proxy is set as the engine says that it is."""
    wanted = Proxy.parse(said)
    if wanted is None or not wanted.masked:
        return said
    for text in _settings(command_line, scheme):
        found = Proxy.parse(text)
        if found is not None and found.user is not None and found.is_at(wanted):
            return text
    return said


def _settings(command_line: CommandLine, scheme: str) -> Iterator[str]:
    """What the host's files may say of the proxy, that which goes before others first."""
    yield command_line.get_value(f"--{scheme}-proxy")
    try:
        proxies = change.read_config()[1].values.get("proxies")
    except ConfigInvalid:
        proxies = None  # The engine has read it before it was broken.
    if isinstance(proxies, dict):
        yield str(proxies.get(f"{scheme}-proxy", ""))
    for name in (f"{scheme}_proxy".upper(), f"{scheme}_proxy"):
        yield command_line.environment.get(name, "")
