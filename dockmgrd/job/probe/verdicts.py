# SPDX-License-Identifier: LGPL-2.1-or-later
"""Why a mirror fails: in a word, and as a message that names the host at fault."""

from __future__ import annotations

import socket
import ssl
from enum import Enum
from urllib.parse import urlsplit

from dockmgrd.job.probe.http import Answer, Malformed, WebClient
from dockmgrd.job.probe.trust import UnusableCertificate
from dockmgrd.job.probe.tunnel import ProxyFailed
from dockmgrd.messages import probe as messages
from dockmgrd.messages.text import Template, Text

_NO_CERTIFICATE = b"No required SSL certificate"  # nginx
_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL


class Verdict(Enum):
    """The result of a probe. The value is what the bus and the table say.

    With PROXY the engine's proxy is at fault, and with MISCONFIGURED a file of this host. Nothing
    is known about the mirror then.
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


class Step(Enum):
    """What a pull asks for, one after the other."""

    API = "v2"
    TOKEN = "token"
    MANIFEST = "manifest"
    LAYER = "blob"

    @property
    def item(self) -> Text:
        """The thing that is asked for, as part of a sentence."""
        return _ITEMS[self]()


_ITEMS: dict[Step, Template] = {
    Step.API: messages.ITEM_API,
    Step.TOKEN: messages.ITEM_TOKEN,
    Step.MANIFEST: messages.ITEM_MANIFEST,
    Step.LAYER: messages.ITEM_LAYER,
}


class Failed(Exception):
    """A step that works with a good mirror has failed."""

    def __init__(self, verdict: Verdict, cause: Text) -> None:
        super().__init__(str(cause))
        self.verdict = verdict
        self.cause = cause


def judge_status(answer: Answer, step: Step, host: str, image: str) -> Failed:
    """What a status means at a step.

    :param host: which answered; after a redirect it is not the mirror itself.
    :param image: the image that is pulled.
    """
    status, item = answer.status, step.item
    if status == 429:
        return Failed(Verdict.RATE_LIMITED, messages.TOO_MANY_REQUESTS(host=host))
    if status == 400 and _NO_CERTIFICATE in answer.body:
        return Failed(Verdict.DENIED, messages.CLIENT_CERTIFICATE_WANTED(host=host))
    if status in (401, 403, 451):
        if step is Step.LAYER:
            return Failed(Verdict.DENIED, messages.BLOB_DENIED(host=host, status=status))
        return Failed(Verdict.DENIED, messages.ACCESS_DENIED(host=host, status=status, item=item))
    if status >= 500 and answer.proxy:
        cause = messages.PROXY_OR_MIRROR_FAILED(host=host, proxy=str(answer.proxy), status=status)
        return Failed(Verdict.FAILING, cause)
    if status >= 500:
        return Failed(Verdict.FAILING, messages.SERVER_FAILED(host=host, status=status, item=item))
    if status == 404 and step is not Step.API:
        cause = messages.IMAGE_MISSING(host=host, image=image, status=status)
        return Failed(Verdict.MISSING, cause)
    if status == 200:
        return Failed(Verdict.NOT_A_REGISTRY, messages.WEB_PAGE(host=host))
    cause = messages.NO_REGISTRY(host=host, status=status, item=item)
    return Failed(Verdict.NOT_A_REGISTRY, cause)


def judge_timeout(client: WebClient, timeout: float) -> tuple[Verdict, Text]:
    """What did not answer within so many seconds."""
    seconds = f"{timeout:g}"
    if client.way is None:
        return Verdict.TIMEOUT, messages.MIRROR_SILENT(host=client.host, seconds=seconds)
    if client.at_proxy:
        return Verdict.PROXY, messages.PROXY_SILENT(proxy=str(client.way), seconds=seconds)
    return Verdict.TIMEOUT, messages.MIRROR_SILENT_THROUGH_PROXY(
        host=client.host, seconds=seconds, proxy=str(client.way)
    )


def judge_error(error: Exception, host: str) -> tuple[Verdict, Text]:
    """What kept a connection to the host from being made or used."""
    if isinstance(error, ProxyFailed):
        return Verdict.UNREACHABLE if error.beyond else Verdict.PROXY, error.text
    if isinstance(error, UnusableCertificate):
        return Verdict.MISCONFIGURED, error.text
    if isinstance(error, Malformed):
        return Verdict.NOT_A_REGISTRY, error.template(host=host)
    if isinstance(error, ssl.SSLError):
        return _judge_tls(error, host)
    if isinstance(error, socket.gaierror):
        return Verdict.UNRESOLVABLE, messages.NAME_UNKNOWN(host=host)
    if isinstance(error, ConnectionRefusedError):
        return Verdict.REFUSED, messages.NOTHING_LISTENS(host=host)
    if isinstance(error, (ConnectionError, EOFError)):
        return Verdict.BROKEN, messages.CONNECTION_LOST(host=host)
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return Verdict.UNREACHABLE, messages.HOST_UNREACHABLE(host=host, reason=reason)
    return Verdict.BROKEN, messages.BAD_REDIRECT(host=host)


def get_host(url: str) -> str:
    """The host of a URL, with its port where it names one."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _judge_tls(error: ssl.SSLError, host: str) -> tuple[Verdict, Text]:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _NOT_YET_VALID:
            return Verdict.UNTRUSTED, messages.CERTIFICATE_OF_FUTURE(host=host)
        reason = error.verify_message.rstrip(".")
        return Verdict.UNTRUSTED, messages.CERTIFICATE_UNTRUSTED(host=host, reason=reason)
    # Alerts come from the other side, so they are about our certificate.
    reason = error.reason or ""
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return Verdict.DENIED, messages.CLIENT_CERTIFICATE_WANTED(host=host)
    return Verdict.BROKEN, messages.TLS_FAILED(host=host, reason=reason or type(error).__name__)
