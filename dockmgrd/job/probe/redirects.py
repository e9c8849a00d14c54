# SPDX-License-Identifier: LGPL-2.1-or-later
"""Redirects, which a server may send us on with, but not everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from dockmgrd.job.probe.http import Answer, WebClient
from dockmgrd.job.probe.verdicts import Failed, Verdict
from dockmgrd.messages import probe as messages

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


async def follow_redirects(
    client: WebClient,
    url: str,
    headers: Mapping[str, str],
    *,
    secure: bool,
    max_bytes: int | None = None,
) -> Answer:
    """The answer at the end of all redirects.

    https is never continued with http: a server must not have us look at what it cannot reach
    itself, and a token is a secret.

    :param secure: whether only https is good enough.
    :param max_bytes: as for `WebClient.get`.
    :raises Failed: for a redirect that leads nowhere good.
    """
    sent = dict(headers)
    for _ in range(_MAX_REDIRECTS):
        parts = urlsplit(url)
        usable = ("https",) if secure else ("https", "http")
        if parts.scheme not in usable or not parts.hostname:
            raise Failed(Verdict.BROKEN, messages.REDIRECT_WITHOUT_TLS(host=client.host))
        answer = await client.get(url, sent, max_bytes)
        location = answer.headers.get("location")
        if answer.status not in _REDIRECTS or not location:
            return answer
        url = urljoin(url, location)
        if urlsplit(url).netloc != parts.netloc:
            sent.pop("Authorization", None)
    raise Failed(Verdict.BROKEN, messages.REDIRECT_LOOP(host=client.host))
