# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections to a proxy, and through it to a host. A failure here is not the host's fault."""

from __future__ import annotations

import asyncio
import re
import socket

from dockmgrd import __version__
from dockmgrd.job.probe.dial import dial
from dockmgrd.job.probe.proxies import Proxy, format_authority
from dockmgrd.messages import probe as messages
from dockmgrd.messages.text import Text

_MAX_BYTES = 64 << 10
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
AUTHENTICATION_REQUIRED = 407


class ProxyFailed(Exception):
    """A proxy failed. The text has no credentials.

    `beyond`: the proxy works, and says that it cannot reach the host.
    """

    def __init__(self, text: Text, *, beyond: bool = False) -> None:
        super().__init__(str(text))
        self.text = text
        self.beyond = beyond


async def connect(proxy: Proxy) -> socket.socket:
    """A connection with the proxy itself.

    :raises ProxyFailed: when it cannot be made.
    """
    if proxy.scheme != "http":
        raise ProxyFailed(messages.PROXY_KIND_UNKNOWN(scheme=proxy.scheme, proxy=str(proxy)))
    try:
        return await dial(proxy.host, proxy.port)
    except socket.gaierror:
        raise ProxyFailed(messages.PROXY_NAME_UNKNOWN(proxy=str(proxy))) from None
    except ConnectionRefusedError:
        raise ProxyFailed(messages.PROXY_REFUSES(proxy=str(proxy))) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ProxyFailed(messages.PROXY_UNREACHABLE(proxy=str(proxy), reason=reason)) from None


async def open_tunnel(connection: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Turn the connection to the proxy into a tunnel to the host.

    :raises ProxyFailed: when the proxy refuses.
    """
    status = await _send_connect(connection, proxy, format_authority(host, port))
    if 200 <= status < 300:
        return
    if status == AUTHENTICATION_REQUIRED:
        raise make_credentials_error(proxy)
    if status >= 500:
        text = messages.PROXY_CANNOT_REACH(proxy=str(proxy), status=status)
        raise ProxyFailed(text, beyond=True)
    raise ProxyFailed(messages.PROXY_BLOCKS(proxy=str(proxy), status=status))


def make_credentials_error(proxy: Proxy) -> ProxyFailed:
    """The error of a proxy that asks for credentials."""
    if proxy.is_masked:
        return ProxyFailed(messages.PROXY_CREDENTIALS_UNKNOWN(proxy=str(proxy)))
    if proxy.headers:
        return ProxyFailed(messages.PROXY_CREDENTIALS_REJECTED(proxy=str(proxy)))
    return ProxyFailed(messages.PROXY_CREDENTIALS_MISSING(proxy=str(proxy)))


def make_connection_error(proxy: Proxy) -> ProxyFailed:
    """The error of a proxy that closes a connection early."""
    return ProxyFailed(messages.PROXY_CONNECTION_LOST(proxy=str(proxy)))


async def _send_connect(connection: socket.socket, proxy: Proxy, target: str) -> int:
    """The status of the proxy's answer. A TLS server waits for us, so that no byte after the
    answer's head can be for others.
    """
    headers = {"Host": target, "User-Agent": f"dockmgrd/{__version__}", **proxy.headers}
    lines = [f"CONNECT {target} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    loop = asyncio.get_running_loop()
    head = b""
    try:
        await loop.sock_sendall(connection, "\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in head and len(head) < _MAX_BYTES:
            more = await loop.sock_recv(connection, _MAX_BYTES)
            if not more:
                raise make_connection_error(proxy)
            head += more
    except OSError:
        raise make_connection_error(proxy) from None
    status = _STATUS.match(head)
    if status is None:
        raise ProxyFailed(messages.PROXY_NOT_HTTP(proxy=str(proxy)))
    return int(status[1])
