# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads bbolt databases, of which containerd's metadata is one: keys and buckets, never values.

The format is that of https://github.com/etcd-io/bbolt (db.go, page.go, bucket.go), version 2.
A database may be read while its owner writes: pages of the newest transaction are not overwritten
before two more have been committed, and then the answer is thrown away and read again.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockmgrd.host import regular_files

_MAGIC, _VERSION = 0xED0CDAED, 2
_PAGE_HEADER = struct.Struct("=QHHI")  # id, flags, count of elements, overflowing pages
_META = struct.Struct("=IIIIQQQQQQ")
_LEAF_ELEMENT = struct.Struct("=IIII")  # flags, position, size of the key, size of the value
_BRANCH_ELEMENT = struct.Struct("=IIQ")  # position, size of the key, page
_BUCKET = struct.Struct("=QQ")  # root page, sequence
_BRANCH_PAGE, _LEAF_PAGE = 0x01, 0x02
_IS_BUCKET = 0x01
_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
_PAGE_SIZES = (4096, 8192, 16384, 65536)
_MAX_DEPTH = 64
_MAX_READS = 5


class BoltError(Exception):
    """The file is not a database of this format, is damaged, or changes all the time."""


def list_buckets(path: Path, *buckets: bytes) -> list[bytes]:
    """Names of the buckets in the bucket that these names lead to; none when it does not exist.

    :raises BoltError: when the file cannot be understood.
    :raises OSError: when it cannot be read.
    """
    return [key for key, is_bucket in _list_keys(path, buckets) if is_bucket]


def has_keys(path: Path, *buckets: bytes) -> bool:
    """Whether anything is in the bucket that these names lead to. Raises as `list_buckets`."""
    return bool(_list_keys(path, buckets))


def _list_keys(path: Path, buckets: Sequence[bytes]) -> list[tuple[bytes, bool]]:
    for _ in range(_MAX_READS):
        with regular_files.open_file(path) as file:
            if os.fstat(file.fileno()).st_size < 2 * _PAGE_SIZES[0]:
                raise BoltError("the file is too short")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                transaction = _Database(data).transaction
                try:
                    keys = _Database(data).list_keys(buckets)
                except (struct.error, BoltError):
                    if _Database(data).transaction == transaction:
                        raise BoltError("a page is damaged") from None
                    continue
                if _Database(data).transaction == transaction:
                    return keys
    raise BoltError("the file changes all the time")


class _Database:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.transaction, self._root, self._page_size = max(self._read_metas())

    def list_keys(self, buckets: Sequence[bytes]) -> list[tuple[bytes, bool]]:
        """The keys of the bucket, each with whether it is a bucket itself."""
        page, start = self._root, self._root * self._page_size
        for name in buckets:
            found = self._find_bucket(start, name)
            if found is None:
                return []
            page, _ = _BUCKET.unpack_from(self._data, found)
            # A small bucket is stored as a page within the value.
            start = page * self._page_size if page else found + _BUCKET.size
        return [(key, is_bucket) for key, is_bucket, _ in self._walk(start)]

    def _read_metas(self) -> Iterator[tuple[int, int, int]]:
        """Transaction, root page and page size of each of the two headers that is whole."""
        offsets = {0, *_PAGE_SIZES}
        found = False
        for offset in sorted(offsets):
            start = offset + _PAGE_HEADER.size
            if start + _META.size > len(self._data):
                continue
            fields = _META.unpack_from(self._data, start)
            magic, version, page_size, _, root, _, _, _, transaction, checksum = fields
            raw = self._data[start : start + _META.size - 8]
            if (magic, version) == (_MAGIC, _VERSION) and _hash(raw) == checksum:
                found = True
                yield transaction, root, page_size
        if not found:
            raise BoltError("there is no header of the known version")

    def _find_bucket(self, start: int, name: bytes) -> int | None:
        """Where the value of the bucket begins."""
        for key, is_bucket, value in self._walk(start):
            if is_bucket and key == name:
                return value
        return None

    def _walk(self, start: int, depth: int = 0) -> Iterator[tuple[bytes, bool, int]]:
        """Every key below the page at the offset: itself, whether it is a bucket, its value."""
        if depth > _MAX_DEPTH:
            raise BoltError("the pages lead in a circle")
        _, flags, count, _ = _PAGE_HEADER.unpack_from(self._data, start)
        first = start + _PAGE_HEADER.size
        if flags & _LEAF_PAGE:
            for element in range(first, first + count * _LEAF_ELEMENT.size, _LEAF_ELEMENT.size):
                kind, position, key_size, _ = _LEAF_ELEMENT.unpack_from(self._data, element)
                begin = element + position
                yield (
                    self._data[begin : begin + key_size],
                    bool(kind & _IS_BUCKET),
                    begin + key_size,
                )
        elif flags & _BRANCH_PAGE:
            size = _BRANCH_ELEMENT.size
            for element in range(first, first + count * size, size):
                _, _, page = _BRANCH_ELEMENT.unpack_from(self._data, element)
                yield from self._walk(page * self._page_size, depth + 1)
        else:
            raise BoltError("a page is of an unknown kind")


def _hash(data: bytes) -> int:
    """FNV-1a of 64 bits."""
    value = _FNV_OFFSET
    for byte in data:
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return value
