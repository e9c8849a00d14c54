# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections to a proxy, and through it to a host: what fails there is no fault of the host."""

from __future__ import annotations

import asyncio
import re
import socket

from dockmgrd import __version__
from dockmgrd.job.probe.dial import dial
from dockmgrd.job.probe.proxies import Proxy, joined

_MOST_BYTES = 64 << 10
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
AUTHENTICATION_REQUIRED = 407


class ProxyFailed(Exception):
    """A proxy kept us from the host. The text has neither full stop nor credentials.

    `beyond`: the proxy works, and says that it cannot get to the host.
    """

    def __init__(self, text: str, *, beyond: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.beyond = beyond


async def connect(proxy: Proxy) -> socket.socket:
    """A connection with the proxy itself.

    :raises ProxyFailed: when there is none to be had.
    """
    if proxy.scheme != "http":
        raise ProxyFailed(
            f"it was not tried: the engine goes through {proxy.scheme} proxy {proxy}, and only "
            "http proxies are known here"
        )
    try:
        return await dial(proxy.host, proxy.port)
    except socket.gaierror:
        raise ProxyFailed(f"the name of the engine's proxy {proxy} has no address") from None
    except ConnectionRefusedError:
        raise ProxyFailed(f"nothing listens at the engine's proxy {proxy}") from None
    except OSError as error:
        raise ProxyFailed(
            f"the engine's proxy {proxy} cannot be reached: {error.strerror or error}"
        ) from None


async def open_to(connection: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Have the proxy at the other end of the connection pass all on to the host from now on.

    :raises ProxyFailed: when it does not.
    """
    status = await _ask(connection, proxy, joined(host, port))
    if 200 <= status < 300:
        return
    if status == AUTHENTICATION_REQUIRED:
        raise unauthorized(proxy)
    if status >= 500:
        raise ProxyFailed(f"the engine's proxy {proxy} cannot reach it ({status})", beyond=True)
    raise ProxyFailed(f"the engine's proxy {proxy} does not let through to it ({status})")


def unauthorized(proxy: Proxy) -> ProxyFailed:
    """What it means when the proxy asks for credentials."""
    if proxy.masked:
        return ProxyFailed(
            f"the engine's proxy {proxy} wants the credentials that the engine has for it, and "
            "they are not known here"
        )
    if proxy.headers:
        return ProxyFailed(
            f"the engine's proxy {proxy} does not take the credentials that the engine has for it"
        )
    return ProxyFailed(f"the engine's proxy {proxy} wants credentials, and the engine has none")


def broken_off(proxy: Proxy) -> ProxyFailed:
    """What it means when the proxy ends a connection before its time."""
    return ProxyFailed(f"the engine's proxy {proxy} broke the connection off")


async def _ask(connection: socket.socket, proxy: Proxy, target: str) -> int:
    """The status of the proxy's answer. A TLS server waits for us, so that no byte after the
    answer's head can be for others.
    """
    headers = {"Host": target, "User-Agent": f"dockmgrd/{__version__}", **proxy.headers}
    lines = [f"CONNECT {target} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    loop = asyncio.get_running_loop()
    head = b""
    try:
        await loop.sock_sendall(connection, "\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in head and len(head) < _MOST_BYTES:
            more = await loop.sock_recv(connection, _MOST_BYTES)
            if not more:
                raise broken_off(proxy)
            head += more
    except OSError:
        raise broken_off(proxy) from None
    status = _STATUS.match(head)
    if status is None:
        raise ProxyFailed(f"the engine's proxy {proxy} does not speak HTTP")
    return int(status[1])
