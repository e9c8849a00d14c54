# SPDX-License-Identifier: LGPL-2.1-or-later
"""The internet of one host: a web server on loopback that answers for many names.

It runs inside the host, with the host's own Python and nothing beside the standard library.
What is served under which name is in sites.json; a file of faults, which a test may change at
any time, says what goes wrong; every request is appended to a log of JSON lines.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bed.inside import faults

if TYPE_CHECKING:
    from bed.inside.faults import Readable

SITES = Path("/usr/share/bed/sites.json")
CERTIFICATE = Path("/usr/share/bed/server.pem")
FILES = Path("/srv/bed/repositories")
LOG = Path("/run/bed/requests.jsonl")
REGISTRY = ("127.0.0.1", 5000)
REGISTRY_START_SECONDS = 300  # only one that hangs takes so long
CHUNK = 256 * 1024
FIRST_SOCKET = 3  # sd_listen_fds(3)
TOKEN = "anonymous-token-of-the-bed"
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}


class Log:
    """The requests, one JSON object a line, whole lines only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def append(self, **entry: object) -> None:
        line = json.dumps({"time": time.time(), **entry}) + "\n"
        with self._lock, LOG.open("a") as stream:
            stream.write(line)


class Disconnect(Exception):
    """The connection is to be broken off without an answer."""


class Handler(BaseHTTPRequestHandler):
    """One connection of one client."""

    protocol_version = "HTTP/1.1"
    sites: dict[str, dict[str, Any]]
    log = Log()

    def do_GET(self) -> None:
        """Answer, or do what the fault for this address says instead."""
        host = self.headers.get("Host", "").partition(":")[0]
        path = unquote(urlsplit(self.path).path)
        self._fault, self._sent, self._status = faults.find(host, path), 0, 0
        self._started, self._recorded = time.monotonic(), False
        try:
            self._answer(host, path)
        except (Disconnect, ConnectionError):
            self.close_connection = True
        finally:
            self._record()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error: there is a log of our own."""

    def _record(self) -> None:
        """Log the request, once."""
        if self._recorded:
            return
        self._recorded = True
        self.log.append(
            host=self.headers.get("Host", "").partition(":")[0],
            method=self.command,
            path=self.path,
            status=self._status,
            sent=self._sent,
            seconds=time.monotonic() - self._started,
            secure=isinstance(self.connection, ssl.SSLSocket),
        )

    def _answer(self, host: str, path: str) -> None:
        kind = self._fault.kind
        if kind == "reset":
            faults.reset(self.connection)
            raise Disconnect
        if kind == "hang":
            self._wait_for_client_to_leave()
            raise Disconnect
        site = self.sites.get(host)
        if kind == "status":
            self._plain(int(self._fault.value), b"ordered by the test\n")
        elif site is None:
            self._plain(421, b"no such site\n")
        elif site["kind"] == "files":
            self._file(site, self._fault.replaced(path))
        elif site["kind"] == "registry" or self._has_token(host, path):
            self._registry()

    def _file(self, site: dict[str, Any], path: str) -> None:
        root = FILES / site["directory"]
        relative = path[len(site["prefix"]) :].lstrip("/")
        target = root / relative
        inside = path.startswith(site["prefix"] + "/") and ".." not in Path(relative).parts
        if not inside or not target.is_file():
            self._plain(404, b"not found\n")
            return
        with target.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            start, end = self._range(size)
            if start >= end and size:
                self._plain(416, b"")
                return
            headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
            if (start, end) != (0, size):
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
            stream.seek(start)
            status = 206 if "Content-Range" in headers else 200
            self._send(status, headers, stream, end - start)

    def _range(self, size: int) -> tuple[int, int]:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if match is None or match.groups() == ("", ""):
            return 0, size
        first, last = match.groups()
        if not first:
            return max(0, size - int(last)), size
        return int(first), min(size, int(last) + 1) if last else size

    def _has_token(self, host: str, path: str) -> bool:
        """Whether the client has the token; otherwise it is told how to get it, or given it."""
        if path == "/token":
            self._plain(200, json.dumps({"token": TOKEN}).encode())
            return False
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            scheme = f'Bearer realm="https://{host}/token",service="{host}"'
            self._plain(401, b"{}", {"WWW-Authenticate": scheme})
            return False
        return True

    def _registry(self) -> None:
        with contextlib.closing(_connect_to_registry()) as upstream:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():  # Accept comes many times
                upstream.putheader(name, value)
            upstream.endheaders()
            answer = upstream.getresponse()
            length = int(answer.headers.get("Content-Length", 0))
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            self._send(answer.status, kept, answer, length)

    def _plain(self, status: int, text: bytes, headers: dict[str, str] | None = None) -> None:
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        self._send(status, all_headers, io.BytesIO(text), len(text))

    def _send(self, status: int, headers: dict[str, str], stream: Readable, length: int) -> None:
        """Answer. The request is in the log before the client has the last of the answer."""
        self._status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        if self.command == "HEAD" or not length:
            self._record()
            self.end_headers()
            return
        self.end_headers()
        last = b""
        for piece in self._fault.pieces(stream, length):
            self.wfile.write(last)
            last = piece
            self._sent += len(piece)
        self._record()
        self.wfile.write(last)
        if self._sent < length:
            raise Disconnect

    def _wait_for_client_to_leave(self) -> None:
        while self.connection.recv(CHUNK):
            pass


class Server(ThreadingHTTPServer):
    """A server that has a thread for every connection."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away or distrusts us is no error of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class SecureServer(Server):
    """A server whose TLS handshakes are done in the connection's own thread."""

    context: ssl.SSLContext

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        secured = self.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return secured, address


def _connect_to_registry() -> http.client.HTTPConnection:
    """Connect to the registry, which may still be starting just after boot."""
    deadline = time.monotonic() + REGISTRY_START_SECONDS
    while True:
        connection = http.client.HTTPConnection(*REGISTRY)
        try:
            connection.connect()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)  # docker-registry has no way to say that it is ready
        else:
            return connection


def _serve(kind: type[Server], number: int) -> Server:
    """Return a server on a socket of bed-internet.socket, by its number there."""
    server = kind(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=FIRST_SOCKET + number)
    return server


def _notify_ready() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])


def main() -> None:
    LOG.parent.mkdir(exist_ok=True)
    Handler.sites = json.loads(SITES.read_text())
    SecureServer.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    SecureServer.context.load_cert_chain(CERTIFICATE)
    plain, secure = _serve(Server, 0), _serve(SecureServer, 1)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    _notify_ready()
    secure.serve_forever()


if __name__ == "__main__":
    main()
