# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tiny container image, made without any Docker.

The directory that `provide` returns is the root of a registry's storage, and holds beside that
`tiny.tar`, which `docker load` reads.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from bed import debian
from bed.cache import Recipe, shared, text_of
from bed.suites import ARCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bed.suites import Suite

_TEXT = text_of(__file__)
REPOSITORIES = ("library/tiny", "library/hello-world")
TAG = "latest"
ARCHIVE = "tiny.tar"
_APPLETS = ("cat", "echo", "ls", "sh", "sleep", "true", "wget")
_MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_GO_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}


def provide(suite: Suite) -> Path:
    """Return the directory; the image is in the registry under each name of REPOSITORIES."""
    source = debian.provide(suite)
    return shared().provide(
        Recipe(f"registry-{suite.name}", (source.name, _TEXT)),
        lambda directory: _build(source / "root" / "bin" / "busybox", directory),
    )


def _build(busybox: Path, directory: Path) -> None:
    layer = _layer(busybox.read_bytes())
    packed = gzip.compress(layer, compresslevel=1, mtime=0)
    config = json.dumps(_config(_digest(layer))).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MEDIA_TYPE,
            "config": _descriptor(_CONFIG_TYPE, config),
            "layers": [_descriptor(_LAYER_TYPE, packed)],
        }
    ).encode()
    root = directory / "docker" / "registry" / "v2"
    for blob in (packed, config, manifest):
        _write(root / "blobs" / _blob_path(blob) / "data", blob)
    for name in REPOSITORIES:
        _publish(root / "repositories" / name, manifest, (packed, config))
    _write(directory / ARCHIVE, _archive(config, layer))


def _publish(repository: Path, manifest: bytes, blobs: tuple[bytes, ...]) -> None:
    link = _digest(manifest).encode()
    path = _digest(manifest).replace(":", "/")
    tag = repository / "_manifests" / "tags" / TAG
    _write(repository / "_manifests" / "revisions" / path / "link", link)
    _write(tag / "current" / "link", link)
    _write(tag / "index" / path / "link", link)
    for blob in blobs:
        digest = _digest(blob)
        _write(repository / "_layers" / digest.replace(":", "/") / "link", digest.encode())


def _layer(busybox: bytes) -> bytes:
    members = [(_member("bin/busybox", len(busybox)), busybox)]
    for applet in _APPLETS:
        link = tarfile.TarInfo(f"bin/{applet}")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        members.append((link, b""))
    return _tar(members)


def _archive(config: bytes, layer: bytes) -> bytes:
    """Return the image in the form of `docker save`."""
    index = [{"Config": "config.json", "RepoTags": [f"tiny:{TAG}"], "Layers": ["layer.tar"]}]
    files = {
        "config.json": config,
        "layer.tar": layer,
        "manifest.json": json.dumps(index).encode(),
    }
    return _tar([(_member(name, len(content)), content) for name, content in files.items()])


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o755
    return member


def _tar(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _config(layer_digest: str) -> dict[str, object]:
    return {
        "architecture": _GO_ARCH.get(ARCH, ARCH),
        "os": "linux",
        "created": "2025-01-01T00:00:00Z",
        "config": {"Cmd": ["/bin/echo", "hello from the bed"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        "history": [{"created": "2025-01-01T00:00:00Z", "created_by": "dockmgrd test bed"}],
    }


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": _digest(content)}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _blob_path(content: bytes) -> Path:
    hexadecimal = hashlib.sha256(content).hexdigest()
    return Path("sha256", hexadecimal[:2], hexadecimal)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
