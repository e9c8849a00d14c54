# SPDX-License-Identifier: LGPL-2.1-or-later
"""Self-signed certificates for servers on loopback and for clients."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NAMES = "subjectAltName=DNS:localhost,DNS:mirror.example,IP:127.0.0.1"


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, in PEM."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, directory: Path, name: str) -> Pair:
        pair = cls(directory / f"{name}.pem", directory / f"{name}.key.pem")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        files = ["-keyout", str(pair.key), "-out", str(pair.certificate)]
        names = ["-subj", f"/CN={name}", "-addext", _NAMES]
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", *curve, *names, *files],
            check=True,
            capture_output=True,
        )
        return pair

    def put(self, directory: Path, name: str = "client") -> None:
        """Install it as the client's certificate for a registry."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.cert").write_bytes(self.certificate.read_bytes())
        (directory / f"{name}.key").write_bytes(self.key.read_bytes())

    def trust(self, directory: Path) -> None:
        """Install it as the authority for a registry."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "ca.crt").write_bytes(self.certificate.read_bytes())

    def server(self, client: Pair | None = None) -> ssl.SSLContext:
        """A server that shows it, and that wants the client's certificate if one is named."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if client is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client.certificate)
        return context


@contextlib.contextmanager
def shaking_hands(tls: ssl.SSLContext) -> Iterator[str]:
    """A server that does no more than to shake hands, or to say why not; its URL.

    Servers of asyncio do not say why not.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    _shake(tls, connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://localhost:{listening.getsockname()[1]}/"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        listening.close()


def _shake(tls: ssl.SSLContext, connection: socket.socket) -> None:
    """The descriptor stays ours: what is closed with something unread takes the alert along."""
    with (
        contextlib.suppress(OSError),
        socket.fromfd(connection.fileno(), connection.family, connection.type) as own,
        tls.wrap_socket(own, server_side=True),
    ):
        pass
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
