# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TLS server before the registry of a host: `front.py PORT PREFIX [AUTHORITY]`.

It serves the API below PREFIX instead of /v2, and with AUTHORITY only clients that show a
certificate of it. Runs on the host with its Python alone.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CERTIFICATE = "/usr/share/bed/server.pem"
REGISTRY = ("127.0.0.1", 5000)
LOG = "/run/front.log"


class Handler(BaseHTTPRequestHandler):
    """Passes requests below the prefix on to the registry."""

    prefix = ""

    def do_GET(self) -> None:
        with open(LOG, "a") as log:
            log.write(f"{self.path}\n")
        if not self.path.startswith(self.prefix):
            self.send_error(404)
            return
        upstream = http.client.HTTPConnection(*REGISTRY)
        headers = {"Accept": ", ".join(self.headers.get_all("Accept", ["*/*"]))}
        upstream.request(self.command, "/v2" + self.path[len(self.prefix) :], headers=headers)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "server", "date"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_HEAD = do_GET


def main() -> None:
    port, Handler.prefix, *authority = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    if authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority[0])
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    server.serve_forever()


if __name__ == "__main__":
    main()
