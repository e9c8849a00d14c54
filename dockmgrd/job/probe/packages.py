# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures package sources, all at once: repomd.xml, the list of packages, the start of a package.

Everything that a source sends is untrusted: sizes are bounded, and any other shape is a verdict.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from dockmgrd.job.probe.http import Answer, Malformed, WebClient
from dockmgrd.job.probe.proxies import Proxies
from dockmgrd.job.probe.redirects import follow_redirects
from dockmgrd.job.probe.repodata import MAX_REPOMD_BYTES, find_package, parse_repomd
from dockmgrd.job.probe.trust import Trust
from dockmgrd.job.probe.tunnel import ProxyFailed
from dockmgrd.job.probe.verdicts import Failed, Verdict, get_host, judge_error
from dockmgrd.messages import sources as messages
from dockmgrd.messages.text import NOTHING, Text
from dockmgrd.timeouts import within

MEASURING_TIMEOUT = 5.0
"""Seconds for all sources together."""
_RANGE_BYTES = 256 << 10
_RPM_MAGIC = b"\xed\xab\xee\xdb"  # of the lead with which each package begins
_DOWNLOAD_BYTES = 100 << 20
"""About what an installation downloads."""
_REQUESTS = 10
"""About how many times an installation waits for an answer."""
_MAX_CLOCK_ERROR = 86400
_STATUSES: Mapping[int, Verdict] = {
    401: Verdict.DENIED,
    403: Verdict.DENIED,
    404: Verdict.MISSING,
    429: Verdict.RATE_LIMITED,
    451: Verdict.DENIED,
}


@dataclass(frozen=True)
class Measurement:
    """What was found out about a source. One that took too long may have figures all the same."""

    source: str
    verdict: Verdict = Verdict.OK
    cause: Text = NOTHING
    latency: float = 0.0
    """Seconds to the first answer."""
    throughput: float = 0.0
    """Bytes a second."""
    time: int = 0
    """When its metadata were made, in seconds since the epoch; 0 when it has none."""
    stale: bool = False
    """Whether another source has newer metadata, or these are dated in the future."""

    @property
    def is_usable(self) -> bool:
        """Whether packages may be had from it, as far as that is known."""
        return self.time > 0 and self.verdict in (Verdict.OK, Verdict.TIMEOUT)

    @property
    def seconds(self) -> float:
        """About how long an installation waits for it."""
        download = _DOWNLOAD_BYTES / self.throughput if self.throughput else float("inf")
        return _REQUESTS * self.latency + download

    def to_plain(self) -> dict[str, Any]:
        """As the job's result has it; `age` is in seconds, `text` the English cause."""
        plain: dict[str, Any] = {
            "source": self.source,
            "verdict": self.verdict.value,
            "text": str(self.cause),
            "latency": self.latency,
            "throughput": self.throughput,
            "stale": self.stale,
            "usable": self.is_usable,
        }
        if self.time:
            plain["age"] = max(0, int(time.time()) - self.time)
        return {**plain, "cause": self.cause.to_plain()} if self.cause else plain


async def measure_all(
    urls: Mapping[str, str],
    proxies: Proxies,
    timeout: float = MEASURING_TIMEOUT,
    *,
    tls: Callable[[], ssl.SSLContext] | None = None,
) -> list[Measurement]:
    """Measure the repositories at the URLs by the names of their sources; the best comes first.

    :param timeout: seconds for all of them.
    :param tls: makes the TLS context of a connection, by default one with the host's authorities.
    """
    context = functools.lru_cache(tls or Trust().get_usual_context)
    attempts = [_Attempt(name, url, WebClient(context, proxies)) for name, url in urls.items()]
    found = await asyncio.gather(*(each.measure(timeout) for each in attempts))
    return rank(found, int(time.time()))


def rank(measurements: Sequence[Measurement], now: int) -> list[Measurement]:
    """Usable sources by their speed, then those that are out of date, then the others.

    :param now: seconds since the epoch. A source whose metadata are from the future is stale, so
        that it cannot make all others look old.
    """
    latest = now + _MAX_CLOCK_ERROR
    newest = max((each.time for each in measurements if each.time <= latest), default=0)
    marked = [
        replace(each, stale=each.is_usable and not newest <= each.time <= latest)
        for each in measurements
    ]
    return sorted(
        marked,
        key=lambda each: (
            not each.is_usable,
            each.stale,
            each.verdict is not Verdict.OK,
            each.seconds,
            each.latency,
        ),
    )


class _Attempt:
    """The steps for one source. `found` has what is known so far."""

    def __init__(self, source: str, url: str, client: WebClient) -> None:
        self.found = Measurement(source)
        self._url = url
        self._client = client

    async def measure(self, timeout: float) -> Measurement:
        """Go through all steps within so many seconds."""
        verdict, cause = Verdict.OK, NOTHING
        try:
            await within(self._run(), timeout)
        except asyncio.TimeoutError:
            verdict = Verdict.TIMEOUT
            cause = messages.SOURCE_TOO_SLOW(host=self._host, seconds=f"{timeout:g}")
        except Failed as error:
            verdict, cause = error.verdict, error.cause
        except ProxyFailed:
            verdict = Verdict.PROXY
            cause = messages.DNF_PROXY_FAILED(proxy=str(self._client.way))
        except Malformed:
            verdict, cause = Verdict.BROKEN, messages.ANSWER_NOT_VALID(host=self._host)
        except (OSError, EOFError, ValueError) as error:
            verdict, cause = judge_error(error, self._host)
        finally:
            self._client.close()
        return replace(self.found, verdict=verdict, cause=cause)

    @property
    def _host(self) -> str:
        return self._client.host or get_host(self._url)

    async def _run(self) -> None:
        answer = await self._get("repodata/repomd.xml", MAX_REPOMD_BYTES)
        self.found = replace(self.found, latency=answer.head_seconds)
        repomd = parse_repomd(answer.body)
        if repomd is None:
            raise Failed(Verdict.CORRUPT, messages.ANSWER_NOT_VALID(host=self._host))
        self.found = replace(self.found, time=repomd.time)
        primary = await self._get(repomd.primary)
        if repomd.digest not in ("", hashlib.sha256(primary.body).hexdigest()):
            raise Failed(Verdict.CORRUPT, messages.PACKAGE_LIST_CORRUPT(host=self._host))
        path = find_package(primary.body)
        if path:
            package = await self._get(path, _RANGE_BYTES)
            if not package.body.startswith(_RPM_MAGIC):
                raise Failed(Verdict.CORRUPT, messages.PACKAGE_CORRUPT(host=self._host))

    async def _get(self, path: str, max_bytes: int | None = None) -> Answer:
        """What is at the path, and its throughput in `found`."""
        ranged = max_bytes == _RANGE_BYTES and path.endswith(".rpm")
        headers = {"Range": f"bytes=0-{_RANGE_BYTES - 1}"} if ranged else {}
        secure = urlsplit(self._url).scheme == "https"
        start = time.monotonic()
        answer = await follow_redirects(
            self._client, f"{self._url}/{path}", headers, secure=secure, max_bytes=max_bytes
        )
        seconds = time.monotonic() - start
        if answer.status not in (200, 206):
            usual = Verdict.FAILING if answer.status >= 500 else Verdict.BROKEN
            verdict = _STATUSES.get(answer.status, usual)
            cause = messages.SOURCE_STATUS(host=self._host, status=answer.status)
            raise Failed(verdict, cause)
        self.found = replace(self.found, throughput=len(answer.body) / max(seconds, 1e-6))
        return answer
