# SPDX-License-Identifier: LGPL-2.1-or-later
"""ProxyCommand for ProxyUseFdpass: hand ssh a connection to a port of this namespace's loopback.

A host of the bed has no network but loopback, so this runs in the host's network namespace.
"""

from __future__ import annotations

import socket
import sys

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
socket.send_fds(socket.socket(fileno=1), [b"\0"], [connection.fileno()])
