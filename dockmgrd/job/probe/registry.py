# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tries one registry mirror as the engine uses it: /v2/, a token, a manifest, a small layer.

A mirror may pass every step but the last: those with an allow-list answer 403 for layers.
Everything that it sends is untrusted: sizes are bounded, and any other shape is a verdict.
"""

from __future__ import annotations

import asyncio
import hashlib
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urljoin

from dockmgrd.catalog.mirrors import Image
from dockmgrd.job.probe.documents import (
    Descriptor,
    Manifest,
    find_bearer_challenge,
    parse_manifest,
    parse_token,
)
from dockmgrd.job.probe.http import Answer, Malformed, WebClient
from dockmgrd.job.probe.redirects import follow_redirects
from dockmgrd.job.probe.trust import UnusableCertificate
from dockmgrd.job.probe.tunnel import ProxyFailed
from dockmgrd.job.probe.verdicts import (
    Failed,
    Step,
    Verdict,
    get_host,
    judge_error,
    judge_status,
    judge_timeout,
)
from dockmgrd.messages import probe as messages
from dockmgrd.messages.text import NOTHING, Text
from dockmgrd.mirror_urls import find_api_root, has_own_root
from dockmgrd.timeouts import within

_MAX_LAYER_BYTES = 1 << 20
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Finding:
    """The result for one mirror. Times are seconds; `throughput` is bytes a second.

    `latency` is the time to the first answer, `seconds` that of all steps. `step` is where it
    failed, "" when it did not. `digest` is what the mirror says that the tag stands for.
    """

    mirror: str
    verdict: Verdict
    step: str = ""
    cause: Text = NOTHING
    latency: float = 0.0
    throughput: float = 0.0
    seconds: float = 0.0
    digest: str = ""
    differs: bool = False
    """Its image is not that of most mirrors that were tried with it."""

    def to_plain(self) -> dict[str, Any]:
        """As the job's result has it; `text` is the English cause."""
        plain = {
            **vars(self),
            "verdict": self.verdict.value,
            "text": str(self.cause),
            "cause": self.cause.to_plain(),
        }
        if not self.cause:
            del plain["cause"]
        return plain


@dataclass(frozen=True)
class Pull:
    """What is pulled through a mirror."""

    image: Image
    namespace: str
    """The value of ns=, which containerd sends and dockerd's own store does not; "" for none."""
    is_hub: bool = True
    """Whether the mirror is for Docker Hub, so that the engine always adds v2 to its path."""


async def try_mirror(mirror: str, client: WebClient, timeout: float, pull: Pull) -> Finding:
    """Pull a small image through the mirror.

    :param timeout: seconds for all steps.
    """
    attempt = _Attempt(mirror, client, pull)
    start = time.monotonic()
    try:
        await within(attempt.run(), timeout)
        verdict, cause = Verdict.OK, NOTHING
    except asyncio.TimeoutError:
        verdict, cause = judge_timeout(client, timeout)
    except Failed as error:
        verdict, cause = error.verdict, error.cause
    except (OSError, EOFError, Malformed, ProxyFailed, UnusableCertificate, ValueError) as error:
        verdict, cause = judge_error(error, client.host or get_host(mirror))
    finally:
        client.close()
    finding = replace(attempt.finding, seconds=time.monotonic() - start)
    step = "" if verdict is Verdict.OK else attempt.step.value
    return replace(finding, verdict=verdict, cause=cause, step=step)


class _Attempt:
    """The steps, one after the other. `step` is the present one."""

    def __init__(self, mirror: str, client: WebClient, pull: Pull) -> None:
        self.finding = Finding(mirror, Verdict.OK)
        self.step = Step.API
        self._mirror = mirror
        self._client = client
        self._image = pull.image
        self._root = f"{mirror}v2/" if pull.is_hub else find_api_root(mirror)
        self._has_own_root = not pull.is_hub and has_own_root(mirror)
        self._query = f"?ns={quote(pull.namespace)}" if pull.namespace else ""
        self._authorization: dict[str, str] = {}

    async def run(self) -> None:
        """Go through all steps; a failure is raised."""
        if not self._has_own_root:
            await self._ask_api()
        self.step = Step.MANIFEST
        manifest, digest = await self._fetch_manifest(self._image.tag)
        self.finding = replace(self.finding, digest=digest)
        if manifest.images is not None:
            manifest, _ = await self._fetch_manifest(self._choose_image(manifest))
        self.step = Step.LAYER
        await self._fetch_layer(manifest.layers)

    async def _ask_api(self) -> None:
        """Ask whether there is a registry, which the root of the API says alone."""
        first = await self._get(self._root, {})
        self.finding = replace(self.finding, latency=first.head_seconds)
        if first.status == 401:
            await self._authorize(first)
        elif first.status != 200 or "text/html" in first.headers.get("content-type", ""):
            raise self._judge(first)

    async def _fetch_manifest(self, reference: str) -> tuple[Manifest, str]:
        """The manifest and its digest, which is checked where the reference is one."""
        answer = await self._fetch(f"manifests/{reference}", {"Accept": _ACCEPT})
        digest = _compute_digest(answer.body)
        claimed = reference if ":" in reference else answer.headers.get("docker-content-digest")
        if claimed and claimed != digest:
            cause = messages.MANIFEST_CORRUPT(host=self._client.host)
            raise Failed(Verdict.CORRUPT, cause)
        manifest = parse_manifest(answer.body)
        if manifest is None:
            cause = messages.MANIFEST_INVALID(host=self._client.host)
            raise Failed(Verdict.NOT_A_REGISTRY, cause)
        return manifest, digest

    def _choose_image(self, manifest: Manifest) -> str:
        """The digest of the image for this machine's architecture, or else of the first."""
        architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
        if not manifest.images:
            cause = messages.MANIFEST_WITHOUT_IMAGE(host=self._client.host)
            raise Failed(Verdict.NOT_A_REGISTRY, cause)
        fitting = [each for each in manifest.images if each.architecture == architecture]
        return (fitting or list(manifest.images))[0].digest

    async def _fetch_layer(self, layers: tuple[Descriptor, ...]) -> None:
        """Fetch the largest of the small layers."""
        small = [each for each in layers if 0 < each.size <= _MAX_LAYER_BYTES]
        if not small:
            cause = messages.MANIFEST_WITHOUT_LAYER(host=self._client.host)
            raise Failed(Verdict.NOT_A_REGISTRY, cause)
        digest = max(small, key=lambda each: each.size).digest
        start = time.monotonic()
        answer = await self._fetch(f"blobs/{quote(digest, safe=':')}", {})
        seconds = time.monotonic() - start
        if _compute_digest(answer.body) != digest:
            raise Failed(Verdict.CORRUPT, messages.LAYER_CORRUPT(host=self._client.host))
        self.finding = replace(self.finding, throughput=len(answer.body) / seconds)

    async def _fetch(self, path: str, headers: Mapping[str, str]) -> Answer:
        """A part of the repository, with a token where the mirror wants one."""
        url = f"{self._root}{self._image.repository}/{path}{self._query}"
        answer = await self._get(url, {**headers, **self._authorization})
        if not self.finding.latency:
            self.finding = replace(self.finding, latency=answer.head_seconds)
        if answer.status == 401 and not self._authorization:
            step = self.step
            await self._authorize(answer)
            self.step = step
            answer = await self._get(url, {**headers, **self._authorization})
        if answer.status != 200:
            raise self._judge(answer)
        return answer

    async def _authorize(self, answer: Answer) -> None:
        """Get the anonymous token that the answer demands."""
        self.step = Step.TOKEN
        challenge = find_bearer_challenge(answer.headers.get("www-authenticate", ""))
        if challenge is None:
            raise Failed(Verdict.DENIED, messages.PASSWORD_WANTED(host=self._client.host))
        # Part of the mirror's path may belong to the name by which it knows the image.
        named = challenge.get("scope") if self._has_own_root else None
        scope = named or f"repository:{self._image.repository}:pull"
        query = f"service={quote(challenge.get('service', ''))}&scope={quote(scope)}"
        realm = urljoin(self._mirror, challenge["realm"])
        reply = await self._get(f"{realm}{'&' if '?' in realm else '?'}{query}", {})
        if reply.status != 200:
            raise self._judge(reply)
        token = parse_token(reply.body)
        if token is None:
            cause = messages.TOKEN_INVALID(host=self._client.host)
            raise Failed(Verdict.NOT_A_REGISTRY, cause)
        self._authorization = {"Authorization": f"Bearer {token}"}

    async def _get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The answer at the end of all redirects."""
        secure = self._mirror.startswith("https:")
        return await follow_redirects(self._client, url, headers, secure=secure)

    def _judge(self, answer: Answer) -> Failed:
        return judge_status(answer, self.step, self._client.host, str(self._image))


def _compute_digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
