# SPDX-License-Identifier: LGPL-2.1-or-later
"""Metadata of a repository with random values ends as a plan or as an error that says why.

FUZZ_REPOSITORIES says how many of them; `make fuzz` tries 300.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import repositories, system
from bed.fixtures import EACH_DNF
from bed.identity import provide as provide_identity
from bed.limits import HANG_TIMEOUT
from bed.suites import ARCH
from dockmgrd import errors, names

if TYPE_CHECKING:
    from bed.host import Host

REPOSITORIES = int(os.environ.get("FUZZ_REPOSITORIES", "12"))
ROOT = "/srv/hostile"
PORT = 8080
# What stands in place of a value. XML itself is dnf's to parse, and stays valid in most cases.
VALUES = (
    *("", " ", "-1", "0", "18446744073709551616", "1e400", "nan", "\N{PILE OF POO}", "x" * 5000),
    *("../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/x.rpm"),
    *("docker-ce", "containerd.io", "docker-ce.x86_64", "*", "%2e%2e/x", "a&#10;b", "&#9;", "{0}"),
    *("{engine}", "%s", "$basearch", "&lt;img onerror=x&gt;", "&#x202e;evil", "-oX=y", "@group"),
)
_VALUE = re.compile(rb'(?<==")[^"]*(?=")|(?<=>)[^<>\n]+(?=<)')
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.mark.timeout(2 * HANG_TIMEOUT + 60 * REPOSITORIES)
@EACH_DNF
def test_random_metadata(host: Host) -> None:
    seed = int(os.environ.get("FUZZ_SEED", time.time()))
    tree = f"linux/{host.suite.trees[0]}/{ARCH}/stable"
    origin = repositories.provide(host.suite) / "docker" / tree
    folder = f"{ROOT}/{tree}"
    host.run("mkdir", "-p", folder)
    host.run("cp", "-r", f"/srv/bed/repositories/docker/{tree}/Packages", folder)
    serve(host)
    for number in range(seed, seed + REPOSITORIES):
        write_metadata(host, origin / "repodata", f"{folder}/repodata", random.Random(number))
        plan(host, f"FUZZ_SEED={number}")
    assert host.journal(MESSAGE_ID=names.MESSAGE_INTERNAL_ERROR) == [], f"FUZZ_SEED={seed}"
    assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0


def serve(host: Host) -> None:
    """Serve the folder as a source of the administrator's."""
    fingerprint = provide_identity().fingerprint()
    key = f"{{file: {system.KEY_FILE}, fingerprint: {fingerprint}}}"
    source = f"{{title: Hostile, prefix: 'http://127.0.0.1:{PORT}', key: {key}}}"
    host.write("/etc/dockmgrd/sources.d/hostile.yaml", f"sources:\n  hostile: {source}\n")
    server = (f"--directory={ROOT}", "--bind=127.0.0.1", str(PORT))
    host.run("systemd-run", "--unit=hostile", "python3", "-m", "http.server", *server)
    wait = f"import socket\nwhile socket.socket().connect_ex(('127.0.0.1', {PORT})): pass"
    host.run("python3", "-c", wait)


def write_metadata(host: Host, origin: Path, target: str, chooser: random.Random) -> None:
    """Write the origin's metadata with some other values, under checksums that fit."""
    [primary] = origin.glob("*-primary.xml*")
    text = gzip.decompress(primary.read_bytes())
    if chooser.random() < 0.8:
        text = change_values(text, chooser)
    packed = gzip.compress(text)
    name = f"{digest(packed)}-primary.xml.gz"
    repomd = b"\n".join(
        (
            b'<repomd xmlns="http://linux.duke.edu/metadata/repo">',
            b"<revision>1</revision>",
            b'<data type="primary">',
            f'<checksum type="sha256">{digest(packed)}</checksum>'.encode(),
            f'<open-checksum type="sha256">{digest(text)}</open-checksum>'.encode(),
            f'<location href="repodata/{name}"/>'.encode(),
            b"<timestamp>1</timestamp>",
            f"<size>{len(packed)}</size><open-size>{len(text)}</open-size>".encode(),
            b"</data></repomd>",
        )
    )
    if chooser.random() < 0.2:
        repomd = change_values(repomd, chooser)
    if chooser.random() < 0.1:
        repomd = repomd[: chooser.randrange(len(repomd))]
    host.run("rm", "-rf", target)
    host.run("mkdir", target)
    for file, content in ((name, packed), ("repomd.xml", repomd)):
        host.path(f"{target}/{file}").write_bytes(content)


def change_values(text: bytes, chooser: random.Random) -> bytes:
    """Return the XML with other values in up to ten places."""
    for _ in range(chooser.randint(1, 10)):
        place = chooser.choice(list(_VALUE.finditer(text)))
        text = text[: place.start()] + chooser.choice(VALUES).encode() + text[place.end() :]
    return text


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plan(host: Host, seed: str) -> None:
    """Ask for a plan; it is one, or an error of ours with a sentence."""
    host.run("dnf", "clean", "all")
    done = host.run(
        *("dockmgrctl", "install", "--dry-run", "--source=hostile"),
        check=False,
        timeout=HANG_TIMEOUT,
    )
    said = done.stdout + done.stderr
    assert not _CONTROLS.search(said), (seed, said)
    assert "Traceback" not in said, (seed, said)
    assert done.returncode != errors.Internal.exit_code, (seed, said)
    assert done.returncode == 0 or "dockmgrctl: " in done.stderr, (seed, said)
