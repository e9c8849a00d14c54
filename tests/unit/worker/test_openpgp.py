# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fingerprints of key files: Docker's real key, and invalid files."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from dockmgrd.errors import SignatureRejected
from dockmgrd.worker import openpgp, signatures

KEY_FILE = Path(__file__).parents[3] / "packaging/rpm/docker-ce-rpm.asc"
FINGERPRINT = "060A61C51B558A7F742B77AAC52FEB6B621E9F35"
DOCKERS_KEY = KEY_FILE.read_text()
BEGIN, END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"


def armored(packets: bytes, headers: str = "") -> str:
    return f"{BEGIN}\n{headers}\n{base64.encodebytes(packets).decode()}{END}\n"


def packet(tag: int, body: bytes) -> bytes:
    """A packet with a length of four bytes in the new format."""
    return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body


def test_dockers_key() -> None:
    assert openpgp.read_fingerprints(DOCKERS_KEY) == (FINGERPRINT,)
    signatures.check_key_file(KEY_FILE, FINGERPRINT)


def test_text_around_and_headers_within_the_armor() -> None:
    text = DOCKERS_KEY.replace(f"{BEGIN}\n", f"{BEGIN}\nVersion: 1\nComment: a=b\n")
    assert openpgp.read_fingerprints(f"pub 4096\n\n{text}\nmore") == (FINGERPRINT,)


def test_line_ends_of_another_system() -> None:
    assert openpgp.read_fingerprints(DOCKERS_KEY.replace("\n", "\r\n")) == (FINGERPRINT,)


@pytest.mark.parametrize(
    "header",
    [
        bytes([0x98, 12]),  # old format: length of one, two and four bytes
        bytes([0x99, 0, 12]),
        bytes([0x9A, 0, 0, 0, 12]),
        bytes([0xC6, 12]),  # new format
        bytes([0xC6, 255, 0, 0, 0, 12]),
    ],
)
def test_the_forms_of_a_packet_header(header: bytes) -> None:
    body = b"\x04" + bytes(11)
    [expected] = openpgp.read_fingerprints(armored(packet(6, body)))
    assert openpgp.read_fingerprints(armored(header + body)) == (expected,)


def test_a_length_of_two_bytes_in_the_new_format() -> None:
    body = b"\x04" + bytes(499)
    [expected] = openpgp.read_fingerprints(armored(packet(6, body)))
    assert openpgp.read_fingerprints(armored(bytes([0xC6, 193, 52]) + body)) == (expected,)


def test_every_primary_key_of_every_block_is_found() -> None:
    keys = [b"\x04" + bytes([number]) * 20 for number in range(3)]
    text = armored(packet(6, keys[0]) + packet(13, b"uid") + packet(6, keys[1]))
    assert len(set(openpgp.read_fingerprints(text + armored(packet(6, keys[2]))))) == 3
    assert openpgp.read_fingerprints(armored(packet(14, keys[0]))) == (), "a subkey is none"


@pytest.mark.parametrize(
    "text",
    [
        DOCKERS_KEY.replace(END, ""),
        DOCKERS_KEY.replace("mQINBFit", "mQINBFi*"),
        armored(b"text and no packets"),
        armored(packet(6, b"\x04" + bytes(30))[:-5]),
        armored(packet(6, b"\x03" + bytes(30))),
        armored(packet(6, b"\x06" + bytes(30))),
        armored(packet(6, b"")),
        armored(bytes([0xC6, 224]) + bytes(40)),
        armored(bytes([0x9B]) + bytes(40)),
    ],
)
def test_a_damaged_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        openpgp.read_fingerprints(text)
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(SignatureRejected, match="is damaged"):
        signatures.check_key_file(file, FINGERPRINT)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "contains no key, but"),
        (armored(packet(6, b"\x04" + bytes(30))), "but the source names the key"),
        (DOCKERS_KEY + armored(packet(6, b"\x04" + bytes(30))), "but the source names the key"),
        ("ключ", "is damaged"),
    ],
)
def test_only_the_key_expected_may_be_in_the_file(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(SignatureRejected, match=reason):
        signatures.check_key_file(file, FINGERPRINT)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SignatureRejected, match="cannot be read"):
        signatures.check_key_file(tmp_path / "none", FINGERPRINT)
