# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether a clock that is behind explains why a certificate was rejected.

OpenSSL says that a certificate is not yet valid, and curl passes that on. With GnuTLS, curl only
says that the check has failed. The server is asked once more then, by Python's OpenSSL.
"""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

_NOT_YET_VALID = "not yet valid"
_NOT_YET_VALID_CODE = 9  # X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL
_CERTIFICATE = "certificate"
_HTTPS_PORT = 443
_CONNECTION_TIMEOUT = 5.0


def is_clock_suspected(url: str, reason: str) -> bool:
    """Whether the server's certificate is from the future.

    Blocks for some seconds. A server that is reached only by a proxy is not asked.

    :param url: what could not be fetched.
    :param reason: why, as the package manager says it.
    """
    if _NOT_YET_VALID in reason:
        return True
    return _CERTIFICATE in reason.lower() and _has_future_certificate(url)


def _has_future_certificate(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _HTTPS_PORT
        if parts.scheme != "https" or host is None:
            return False
        context = ssl.create_default_context()
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # curl is not so strict, either.
        with (
            socket.create_connection((host, port), _CONNECTION_TIMEOUT) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return False
    except ssl.SSLCertVerificationError as error:
        return error.verify_code == _NOT_YET_VALID_CODE
    except (OSError, ValueError):
        return False
