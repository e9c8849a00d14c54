# SPDX-License-Identifier: LGPL-2.1-or-later
"""One registry mirror tried as the engine uses it: /v2/, a token, a manifest, a small blob.

A mirror may pass every step but the last: those with an allow-list answer 403 for layers.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from dockmgrd.job.probe.http import Answer, Malformed, WebClient
from dockmgrd.job.probe.trust import UnusableCertificate
from dockmgrd.job.probe.tunnel import ProxyFailed
from dockmgrd.job.probe.verdicts import REPOSITORY, TAG, Failed, Verdict, explained, late, refusal
from dockmgrd.timeouts import within

_MOST_BLOB_BYTES = 1 << 20
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Finding:
    """What is known of a mirror. Times are seconds; `throughput` is bytes a second.

    `latency` is the time to the first answer, `seconds` that of all steps. `step` is where it
    failed, "" when it did not. `digest` is what the mirror says that the tag stands for.
    """

    mirror: str
    verdict: Verdict
    step: str = ""
    text: str = ""
    latency: float = 0.0
    throughput: float = 0.0
    seconds: float = 0.0
    digest: str = ""
    differs: bool = False
    """It says otherwise than most of those that were tried with it."""

    def to_plain(self) -> dict[str, Any]:
        return {**vars(self), "verdict": self.verdict.value}


async def try_mirror(mirror: str, client: WebClient, timeout: float, namespace: str) -> Finding:
    """What comes of pulling a small image through the mirror.

    :param namespace: what to give as ns=, as containerd does and dockerd's own store does not.
    """
    attempt = _Attempt(mirror, client, namespace)
    started = time.monotonic()
    try:
        await within(attempt.run(), timeout)
        verdict, text = Verdict.OK, ""
    except asyncio.TimeoutError:
        verdict, text = late(client, timeout)
    except Failed as error:
        verdict, text = error.verdict, error.text
    except (OSError, EOFError, Malformed, ProxyFailed, UnusableCertificate, ValueError) as error:
        verdict, text = explained(error)
    finally:
        client.close()
    found = replace(attempt.found, seconds=time.monotonic() - started)
    step = "" if verdict is Verdict.OK else attempt.step
    return replace(found, verdict=verdict, text=text, step=step)


class _Attempt:
    """The steps, one after the other. `step` is the one it is at."""

    def __init__(self, mirror: str, client: WebClient, namespace: str) -> None:
        self.found = Finding(mirror, Verdict.OK)
        self.step = "v2"
        self._mirror = mirror
        self._client = client
        self._query = f"?ns={quote(namespace)}" if namespace else ""
        self._authorization: dict[str, str] = {}

    async def run(self) -> None:
        """Go through all steps; what fails is raised."""
        first = await self._get(f"{self._mirror}v2/", {})
        self.found = replace(self.found, latency=first.head_seconds)
        if first.status == 401:
            await self._authorize(first)
        elif first.status != 200 or "text/html" in first.headers.get("content-type", ""):
            raise refusal(first, self.step)
        self.step = "manifest"
        manifest, digest = await self._manifest(TAG)
        self.found = replace(self.found, digest=digest)
        if "manifests" in manifest:
            manifest, _ = await self._manifest(_of_this_machine(manifest["manifests"]))
        self.step = "blob"
        await self._blob([manifest.get("config", {}), *manifest.get("layers", [])])

    async def _manifest(self, reference: str) -> tuple[dict[str, Any], str]:
        """The manifest and its digest, which is checked where the reference is one."""
        answer = await self._fetch(f"manifests/{reference}", {"Accept": _ACCEPT})
        digest = _digest(answer.body)
        claimed = reference if ":" in reference else answer.headers.get("docker-content-digest")
        if claimed and claimed != digest:
            raise Failed(Verdict.CORRUPT, "its manifest has another digest than it says")
        try:
            manifest = json.loads(answer.body)
        except ValueError:
            manifest = None
        if not isinstance(manifest, dict):
            raise Failed(Verdict.NOT_A_REGISTRY, "its manifest is no JSON object")
        return manifest, digest

    async def _blob(self, descriptors: Iterable[Mapping[str, Any]]) -> None:
        small = [each for each in descriptors if 0 < each.get("size", 0) <= _MOST_BLOB_BYTES]
        if not small:
            raise Failed(Verdict.NOT_A_REGISTRY, "its manifest names no small blob")
        digest = str(max(small, key=lambda each: int(each["size"])).get("digest"))
        started = time.monotonic()
        answer = await self._fetch(f"blobs/{digest}", {})
        seconds = time.monotonic() - started
        if _digest(answer.body) != digest:
            raise Failed(Verdict.CORRUPT, "its blob has another digest than the manifest says")
        self.found = replace(self.found, throughput=len(answer.body) / seconds)

    async def _fetch(self, path: str, headers: Mapping[str, str]) -> Answer:
        """A thing of the repository, with a token where the mirror wants one."""
        url = f"{self._mirror}v2/{REPOSITORY}/{path}{self._query}"
        answer = await self._get(url, {**headers, **self._authorization})
        if answer.status == 401 and not self._authorization:
            step = self.step
            await self._authorize(answer)
            self.step = step
            answer = await self._get(url, {**headers, **self._authorization})
        if answer.status != 200:
            raise refusal(answer, self.step)
        return answer

    async def _authorize(self, answer: Answer) -> None:
        """Get the anonymous token that the answer asks for."""
        self.step = "token"
        challenge = answer.headers.get("www-authenticate", "")
        values = dict(_PARAMETER.findall(challenge))
        if not challenge.lower().startswith("bearer") or "realm" not in values:
            raise Failed(Verdict.DENIED, "it wants a user name and password")
        scope = f"repository:{REPOSITORY}:pull"
        query = f"service={quote(values.get('service', ''))}&scope={quote(scope)}"
        realm = urljoin(self._mirror, values["realm"])
        token = await self._get(f"{realm}{'&' if '?' in realm else '?'}{query}", {})
        if token.status != 200:
            raise refusal(token, self.step)
        try:
            fields = json.loads(token.body)
            text = fields.get("token") or fields["access_token"]
        except (ValueError, KeyError, AttributeError):
            raise Failed(Verdict.NOT_A_REGISTRY, "its token is no token") from None
        self._authorization = {"Authorization": f"Bearer {text}"}

    async def _get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The answer at the end of all redirects. What is https is never continued in http: a
        mirror must not have us look at what it cannot reach itself, and a token is a secret.
        """
        sent = dict(headers)
        for _ in range(_MOST_REDIRECTS):
            parts = urlsplit(url)
            usable = ("https",) if self._mirror.startswith("https:") else ("https", "http")
            if parts.scheme not in usable or not parts.hostname:
                raise Failed(Verdict.BROKEN, "it sends us on to an address without TLS")
            answer = await self._client.get(url, sent)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            url = urljoin(url, location)
            if urlsplit(url).netloc != parts.netloc:
                sent.pop("Authorization", None)
        raise Failed(Verdict.BROKEN, "it sends us round in circles")


def _of_this_machine(entries: Iterable[Mapping[str, Any]]) -> str:
    """The digest of the manifest for this machine's architecture, or else of the first."""
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    by_architecture = {
        each.get("platform", {}).get("architecture", ""): str(each.get("digest"))
        for each in reversed(list(entries))
    }
    if not by_architecture:
        raise Failed(Verdict.NOT_A_REGISTRY, "its manifest names no image")
    return by_architecture.get(architecture, next(reversed(by_architecture.values())))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
