# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with a mirror that fails: in a word, and in a sentence."""

from __future__ import annotations

import socket
import ssl
from enum import Enum

from dockmgrd.job.probe.http import Answer, WebClient
from dockmgrd.job.probe.trust import UnusableCertificate
from dockmgrd.job.probe.tunnel import ProxyFailed

REPOSITORY = "library/hello-world"
TAG = "latest"
_NO_CERTIFICATE = b"No required SSL certificate"  # so says nginx
_CLIENT_CERTIFICATE = (
    "it wants a client certificate that it knows: client.cert and client.key in its directory "
    "under /etc/docker/certs.d"
)


class Verdict(Enum):
    """How it went. The value is what the bus and the table say.

    With PROXY, the engine's proxy is at fault, and with MISCONFIGURED a file of this host: nothing
    is known of the mirror.
    """

    OK = "ok"
    UNRESOLVABLE = "unresolvable"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    UNTRUSTED = "untrusted"
    BROKEN = "broken"
    DENIED = "denied"
    RATE_LIMITED = "rate-limited"
    MISSING = "missing"
    FAILING = "failing"
    CORRUPT = "corrupt"
    NOT_A_REGISTRY = "not-a-registry"
    PROXY = "proxy"
    MISCONFIGURED = "misconfigured"


class Failed(Exception):
    """A step did not go as it does with a mirror that works."""

    def __init__(self, verdict: Verdict, text: str) -> None:
        super().__init__(text)
        self.verdict = verdict
        self.text = text


def refusal(answer: Answer, step: str) -> Failed:
    """What a status means at a step."""
    said = f"it answered {answer.status} at step {step}"
    if answer.status == 429:
        return Failed(Verdict.RATE_LIMITED, "it has had too many requests from here; try later")
    if answer.status == 400 and _NO_CERTIFICATE in answer.body:
        return Failed(Verdict.DENIED, _CLIENT_CERTIFICATE)
    if answer.status in (401, 403, 451):
        if step == "blob":
            return Failed(Verdict.DENIED, f"{said}, as mirrors with an allow-list do")
        return Failed(Verdict.DENIED, said)
    if answer.status >= 500 and answer.proxy:
        return Failed(
            Verdict.FAILING,
            f"it, or the engine's proxy {answer.proxy} for it, answered {answer.status}",
        )
    if answer.status >= 500:
        return Failed(Verdict.FAILING, said)
    if answer.status == 404 and step != "v2":
        return Failed(Verdict.MISSING, f"{said}: it does not have {REPOSITORY}:{TAG}")
    if answer.status == 200:
        return Failed(Verdict.NOT_A_REGISTRY, "it answers with a web page")
    return Failed(Verdict.NOT_A_REGISTRY, f"{said}: it is no registry")


def late(client: WebClient, timeout: float) -> tuple[Verdict, str]:
    """What did not answer in time."""
    if client.way is None:
        return Verdict.TIMEOUT, f"it did not answer within {timeout:g} s"
    if client.at_proxy:
        return (
            Verdict.PROXY,
            f"the engine's proxy {client.way} did not answer within {timeout:g} s",
        )
    return (
        Verdict.TIMEOUT,
        f"it did not answer within {timeout:g} s through the engine's proxy {client.way}",
    )


def explained(error: Exception) -> tuple[Verdict, str]:
    """What kept a connection from being made or used."""
    if isinstance(error, ProxyFailed):
        return Verdict.UNREACHABLE if error.beyond else Verdict.PROXY, error.text
    if isinstance(error, UnusableCertificate):
        return Verdict.MISCONFIGURED, error.text
    if isinstance(error, ssl.SSLError):
        return _of_tls(error)
    if isinstance(error, socket.gaierror):
        return Verdict.UNRESOLVABLE, "its name has no address"
    if isinstance(error, ConnectionRefusedError):
        return Verdict.REFUSED, "nothing listens there"
    if isinstance(error, (ConnectionError, EOFError)):
        return Verdict.BROKEN, "it broke the connection off"
    if isinstance(error, OSError):
        return Verdict.UNREACHABLE, f"it cannot be reached: {error.strerror or error}"
    if isinstance(error, ValueError):
        return Verdict.BROKEN, "it sends us on to an address that is none"
    return Verdict.NOT_A_REGISTRY, str(error) or "the answer is not HTTP"


def _of_tls(error: ssl.SSLError) -> tuple[Verdict, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            Verdict.UNTRUSTED,
            f"its certificate is not trusted: {error.verify_message.rstrip('.')}",
        )
    # Alerts come from the other side, so it is our certificate that they are about.
    reason = error.reason or ""
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return Verdict.DENIED, _CLIENT_CERTIFICATE
    return Verdict.BROKEN, f"TLS fails: {reason or 'no reason given'}"
