# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprints of the keys in an armored OpenPGP key file, as RFC 4880 defines them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

_BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_END = "-----END PGP PUBLIC KEY BLOCK-----"
_PUBLIC_KEY = 6  # packet tag; a subkey has another


def read_fingerprints(armored: str) -> tuple[str, ...]:
    """Fingerprints of the primary keys of every key block in the text: 40 capital hex digits.

    :raises ValueError: when a block is damaged or a key is not of version 4.
    """
    return tuple(
        _compute_fingerprint(body)
        for block in _decode_blocks(armored)
        for tag, body in _split_packets(block)
        if tag == _PUBLIC_KEY
    )


def _decode_blocks(armored: str) -> Iterator[bytes]:
    """The binary content of each armored block; rpm also reads all blocks of a file."""
    lines = iter(line.strip() for line in armored.splitlines())
    for line in lines:
        if line != _BEGIN:
            continue
        inside = []
        for line in lines:
            if line == _END:
                break
            inside.append(line)
        else:
            raise ValueError("a key block has no end")
        # Headers end with an empty line; the checksum, where there is one, begins with "=".
        body = inside[inside.index("") + 1 :] if "" in inside else inside
        yield base64.b64decode(
            "".join(each for each in body if not each.startswith("=")), validate=True
        )


def _split_packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each packet."""
    position = 0
    while position < len(data):
        header = data[position]
        if not header & 0x80:
            raise ValueError("a key block contains no OpenPGP packets")
        tag, size, start = _read_header(data, position, header)
        if start + size > len(data):
            raise ValueError("a key block is truncated")
        yield tag, data[start : start + size]
        position = start + size


def _read_header(data: bytes, position: int, header: int) -> tuple[int, int, int]:
    """Tag, body length, and where the body starts (RFC 4880, 4.2)."""
    start = position + 1
    if header & 0x40:
        first = int.from_bytes(data[start : start + 1], "big")
        if first < 192:
            return header & 0x3F, first, start + 1
        if first < 224:
            second = int.from_bytes(data[start + 1 : start + 2], "big")
            return header & 0x3F, ((first - 192) << 8) + second + 192, start + 2
        if first < 255:
            raise ValueError("a key packet has no definite length")
        return header & 0x3F, int.from_bytes(data[start + 1 : start + 5], "big"), start + 5
    if header & 3 == 3:
        raise ValueError("a key packet has no definite length")
    width = 1 << (header & 3)
    size = int.from_bytes(data[start : start + width], "big")
    return header >> 2 & 0xF, size, start + width


def _compute_fingerprint(body: bytes) -> str:
    if body[:1] != b"\x04":
        raise ValueError("a key is not of version 4")
    # SHA-1 is what the standard names; it identifies a key that we know, and signs nothing.
    digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False)
    return digest.hexdigest().upper()
