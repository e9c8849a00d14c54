# SPDX-License-Identifier: LGPL-2.1-or-later
"""The owners of containerd's data, read from databases in bbolt's format."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Union

import pytest

from dockmgrd.host.containerd_places import read_places
from dockmgrd.job.packages import boltdb
from dockmgrd.job.packages.containerd_data import ForeignData, find_foreign_data

PAGE = 4096
Bucket = Mapping[bytes, Union[bytes, "Bucket"]]


class Writer:
    """Writes a database: by bbolt's format, with no code of the reader's."""

    def __init__(self, per_page: int = 50) -> None:
        self._pages: list[bytes] = [b"", b""]  # two headers come first
        self._per_page = per_page

    def write(self, path: Path, root: Bucket, *, transaction: int = 7) -> None:
        page = self._store(self._encode(root))
        metas = [self._meta(number, page, transaction - number) for number in (0, 1)]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join([*metas, *self._pages[2:]]))

    def _encode(self, bucket: Bucket) -> list[tuple[bytes, bytes, int]]:
        """Key, value and flags of each element; a small bucket is within its value."""
        elements = []
        for key, value in sorted(bucket.items()):
            if isinstance(value, bytes):
                elements.append((key, value, 0))
                continue
            inner = self._encode(value)
            inline = self._leaf(0, inner)
            if len(inline) < PAGE // 4 and not any(flags for _, _, flags in inner):
                elements.append((key, struct.pack("=QQ", 0, 0) + inline, 1))
            else:
                elements.append((key, struct.pack("=QQ", self._store(inner), 0), 1))
        return elements

    def _store(self, elements: list[tuple[bytes, bytes, int]]) -> int:
        """The page of the elements, with a branch above when they are too many for one."""
        if len(elements) <= self._per_page:
            return self._append(self._leaf(len(self._pages), elements))
        chunks = [
            elements[start : start + self._per_page]
            for start in range(0, len(elements), self._per_page)
        ]
        children = [(chunk[0][0], self._store(chunk)) for chunk in chunks]
        return self._append(self._branch(len(self._pages), children))

    def _append(self, page: bytes) -> int:
        number = len(self._pages)
        size = -(-len(page) // PAGE) * PAGE
        padded = page.ljust(size, b"\0")
        self._pages += [padded[at : at + PAGE] for at in range(0, size, PAGE)]
        return number

    @staticmethod
    def _leaf(number: int, elements: list[tuple[bytes, bytes, int]]) -> bytes:
        header, data = b"", b""
        for index, (key, value, flags) in enumerate(elements):
            position = (len(elements) - index) * 16 + len(data)
            header += struct.pack("=IIII", flags, position, len(key), len(value))
            data += key + value
        return (
            struct.pack("=QHHI", number, 2, len(elements), len(header + data) // PAGE)
            + header
            + data
        )

    @staticmethod
    def _branch(number: int, children: list[tuple[bytes, int]]) -> bytes:
        header, data = b"", b""
        for index, (key, page) in enumerate(children):
            position = (len(children) - index) * 16 + len(data)
            header += struct.pack("=IIQ", position, len(key), page)
            data += key
        return struct.pack("=QHHI", number, 1, len(children), 0) + header + data

    @staticmethod
    def _meta(number: int, root: int, transaction: int) -> bytes:
        body = struct.pack("=IIIIQQQQQ", 0xED0CDAED, 2, PAGE, 0, root, 0, 2, 9, transaction)
        value = 0xCBF29CE484222325
        for byte in body:
            value = (value ^ byte) * 0x100000001B3 % 2**64
        page = struct.pack("=QHHI", number, 4, 0, 0) + body + struct.pack("=Q", value)
        return page.ljust(PAGE, b"\0")


IMAGE: Bucket = {b"target": {b"digest": b"sha256:1"}}
KUBERNETES: Bucket = {b"images": {b"registry.k8s.io/pause:3.9": IMAGE}, b"labels": {}}
METADATA: Bucket = {
    b"v1": {
        b"version": b"\x01",
        b"moby": {b"images": {b"docker.io/library/tiny": IMAGE}, b"leases": {}},
        b"plugins.moby": {b"content": {b"blob": {b"sha256:1": {}}}},
        b"k8s.io": KUBERNETES,
        b"buildkit": {b"content": {b"blob": {b"sha256:2": {b"size": b"1"}}}},
        b"empty": {b"images": {}, b"containers": {}, b"content": {b"blob": {}, b"ingests": {}}},
        b"labelled": {b"labels": {b"a": b"b"}},
        b"default": {b"containers": {b"web": {}}},
        b"no-snapshots": {b"snapshots": {b"overlayfs": {}}, b"sandboxes": {}},
    }
}


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A config.toml that has containerd keep everything below `tmp_path`."""
    file = tmp_path / "config.toml"
    file.write_text(
        f"version = 2\nroot = \"{tmp_path / 'root'}\"\n  state = '{tmp_path / 'state'}'\n"
        '[plugins."x"]\nroot = "/elsewhere"\n'
    )
    return file


@pytest.mark.parametrize("per_page", [50, 2])
def test_namespaces_of_others(configuration: Path, tmp_path: Path, per_page: int) -> None:
    Writer(per_page).write(tmp_path / "root/io.containerd.metadata.v1.bolt/meta.db", METADATA)
    for path in ("moby/abc", "k8s.io/pod", "none"):
        (tmp_path / "state/io.containerd.runtime.v2.task" / path).mkdir(parents=True)
    found = find_foreign_data(read_places(configuration))
    assert found.namespaces == ("buildkit", "default", "k8s.io")
    assert found.with_tasks == ("k8s.io",)
    assert found.other_roots == (tmp_path / "root",)


@pytest.mark.parametrize(
    "content",
    [{b"snapshots": {b"overlayfs": {b"mine": {b"name": b"1"}}}}, {b"sandboxes": {b"pod": {}}}],
)
def test_namespaces_without_images(configuration: Path, tmp_path: Path, content: Bucket) -> None:
    Writer().write(
        tmp_path / "root/io.containerd.metadata.v1.bolt/meta.db", {b"v1": {b"other": content}}
    )
    assert find_foreign_data(read_places(configuration)).namespaces == ("other",)


def test_the_folder_before_another_one_was_configured(configuration: Path, tmp_path: Path) -> None:
    """A purge would delete it."""
    old = tmp_path / "old"
    for folder, namespace in ((old, b"k8s.io"), (tmp_path / "root", b"buildkit")):
        file = folder / "io.containerd.metadata.v1.bolt/meta.db"
        Writer().write(file, {b"v1": {namespace: KUBERNETES}})
    assert find_foreign_data(read_places(configuration), old).namespaces == ("buildkit", "k8s.io")
    (old / "io.containerd.metadata.v1.bolt/meta.db").write_text("damaged")
    found = find_foreign_data(read_places(configuration), old)
    assert found.namespaces == ("buildkit",)
    assert str(old) in str(found.unreadable)


def test_tasks_count_even_without_metadata(configuration: Path, tmp_path: Path) -> None:
    (tmp_path / "state/io.containerd.runtime.v2.task/k8s.io/pod").mkdir(parents=True)
    assert find_foreign_data(read_places(configuration)) == ForeignData(("k8s.io",), ("k8s.io",))


def test_a_containerd_that_has_never_run(configuration: Path) -> None:
    assert find_foreign_data(read_places(configuration)) == ForeignData()
    assert not find_foreign_data(read_places(configuration)).may_exist


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 3 * PAGE, b"\xff" * 3 * PAGE])
def test_a_malformed_database_may_have_foreign_data(
    configuration: Path, tmp_path: Path, content: bytes
) -> None:
    database = tmp_path / "root/io.containerd.metadata.v1.bolt/meta.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(content)
    found = find_foreign_data(read_places(configuration))
    assert found.may_exist
    assert str(database) in str(found.unreadable)


def test_of_two_headers_the_newest_whole_one_counts(tmp_path: Path) -> None:
    database = tmp_path / "meta.db"
    Writer().write(database, METADATA)
    data = bytearray(database.read_bytes())
    data[20] ^= 1  # the first header, of the newer transaction
    database.write_bytes(data)
    assert b"k8s.io" in boltdb.list_buckets(database, b"v1")
    data[PAGE + 20] ^= 1
    database.write_bytes(data)
    with pytest.raises(boltdb.BoltError, match="no header"):
        boltdb.list_buckets(database, b"v1")


def test_damaged_pages_are_an_error_and_nothing_worse(tmp_path: Path) -> None:
    database = tmp_path / "meta.db"
    Writer(3).write(database, METADATA)
    whole = database.read_bytes()
    chance = random.Random(4)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(4):
            data[chance.randrange(2 * PAGE, len(data))] = chance.randrange(256)
        database.write_bytes(data)
        try:
            boltdb.list_buckets(database, b"v1")
            boltdb.has_keys(database, b"v1", b"k8s.io", b"images")
        except boltdb.BoltError:
            pass


def test_a_missing_bucket_is_empty(tmp_path: Path) -> None:
    database = tmp_path / "meta.db"
    Writer().write(database, METADATA)
    assert boltdb.list_buckets(database, b"v2") == []
    assert not boltdb.has_keys(database, b"v1", b"nobody", b"images")
    assert not boltdb.has_keys(database, b"v1", b"version")
