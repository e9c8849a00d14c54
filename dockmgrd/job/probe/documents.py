# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parsers of what a registry sends: challenges, tokens, manifests. Any input gives a result."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_CHALLENGE_LENGTH = 4096
MAX_TOKEN_LENGTH = 64 << 10
MAX_DESCRIPTORS = 1000

# A word must begin where the one before it ended, so that a long text is scanned once.
_PARAMETER = re.compile(r'\b(\w{1,64})="([^"]*)"')
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z]+)(?:\s+(?=\w+=)|\s*(?:,|$))")
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Descriptor:
    """A part of an image: a layer, a configuration, or the image for one architecture."""

    digest: str
    size: int
    architecture: str = ""


@dataclass(frozen=True)
class Manifest:
    """A manifest of an image, or an index of several."""

    layers: tuple[Descriptor, ...] = ()
    """The configuration first."""
    images: tuple[Descriptor, ...] | None = None
    """The images of an index; None for the manifest of one image."""


def find_bearer_challenge(header: str) -> Mapping[str, str] | None:
    """The parameters of the Bearer challenge in WWW-Authenticate, which may offer others, too.

    None when there is none with a realm.
    """
    header = header[:MAX_CHALLENGE_LENGTH]
    schemes = list(_SCHEME.finditer(header))
    ends = [each.start() for each in schemes[1:]] + [len(header)]
    for scheme, end in zip(schemes, ends):
        if scheme[1].lower() == "bearer":
            parameters = dict(_PARAMETER.findall(header[scheme.end(1) : end]))
            if parameters.get("realm"):
                return parameters
    return None


def parse_token(body: bytes) -> str | None:
    """The token in the answer of a token server; None when there is none that fits a header."""
    fields = _parse_object(body)
    if fields is None:
        return None
    token = fields.get("token") or fields.get("access_token")
    if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH:
        return None
    return token if _TOKEN.fullmatch(token) else None


def parse_manifest(body: bytes) -> Manifest | None:
    """The manifest or index; None when it is not one."""
    fields = _parse_object(body)
    if fields is None:
        return None
    if "manifests" in fields:
        images = _parse_descriptors(fields["manifests"])
        return None if images is None else Manifest(images=images)
    layers = _parse_descriptors(fields.get("layers", []))
    config = _parse_descriptor(fields.get("config"))
    if layers is None:
        return None
    return Manifest(layers=(config, *layers) if config else layers)


def _parse_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parse_descriptors(value: Any) -> tuple[Descriptor, ...] | None:
    if not isinstance(value, list):
        return None
    descriptors = [_parse_descriptor(each) for each in value[:MAX_DESCRIPTORS]]
    return tuple(each for each in descriptors if each is not None)


def _parse_descriptor(value: Any) -> Descriptor | None:
    if not isinstance(value, dict):
        return None
    digest, size = value.get("digest"), value.get("size", 0)
    if not isinstance(digest, str) or isinstance(size, bool) or not isinstance(size, int):
        return None
    platform = value.get("platform")
    architecture = platform.get("architecture") if isinstance(platform, dict) else ""
    return Descriptor(digest, size, architecture if isinstance(architecture, str) else "")
