# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much a purge deletes: bytes of each path, and how many containers, images and volumes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dockmgrd.errors import ServiceFailed
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import boltdb, purge
from dockmgrd.job.packages.containerd_data import METADATA
from dockmgrd.job.packages.removal import Removal
from dockmgrd.job.plan import Plan

_SCHEMA, _NAMESPACE, _IMAGES = b"v1", b"moby", b"images"
_IMAGE_CONFIGS = "image/*/imagedb/content/sha256/*"


async def measure_purge(context: JobContext, removal: Removal, plan: Plan) -> dict[str, Any]:
    """What a Result says of the data that the plan deletes.

    :returns: `purge`: of each path its `path` and `bytes`; `counts` of `containers`, `images` and
        `volumes`, and the names of the `volumes`.
    """
    sizes = await _measure(plan.deletes)
    roots = [
        path for path in plan.deletes if path not in (purge.CONTAINERD_DATA, purge.CONFIGURATION)
    ]
    counts, volumes = _count_on_disk(roots)
    if await removal.engine.is_active():
        try:
            facts = await context.engine.facts()
            volumes = list(await context.engine.volumes())
            counts = {"containers": facts.containers, "images": facts.images}
        except ServiceFailed as error:
            context.add_note(error.text)
    return {
        "purge": [{"path": str(path), "bytes": sizes[path]} for path in plan.deletes],
        "counts": {**counts, "volumes": len(volumes)},
        **({"volumes": volumes} if volumes else {}),
    }


async def _measure(paths: Sequence[Path]) -> dict[Path, int]:
    """Bytes that each path takes on the disk, without what is mounted below it.

    du(1) walks trees of any depth, and ends when the job is canceled.
    """
    sizes = dict.fromkeys(paths, 0)
    if not paths:
        return sizes
    process = await asyncio.create_subprocess_exec(
        *("du", "--summarize", "--one-file-system", "--block-size=1", "--null", "--"),
        *map(str, paths),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # of files that have gone meanwhile
    )
    try:
        output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    for line in output.split(b"\0"):
        size, _, path = line.partition(b"\t")
        if path:
            sizes[Path(os.fsdecode(path))] = int(size)
    return sizes


def _count_on_disk(roots: Sequence[Path]) -> tuple[dict[str, int], list[str]]:
    """Counts and names of volumes of an engine that does not run, as far as its files say."""
    containers = sum(len(_list_folders(root / "containers")) for root in roots)
    images = sum(1 for root in roots for _ in root.glob(_IMAGE_CONFIGS))
    if not images:
        images = _count_containerd_images()
    volumes = sorted(name for root in roots for name in _list_folders(root / "volumes"))
    return {"containers": containers, "images": images}, volumes


def _count_containerd_images() -> int:
    """Images in the containerd image store, which keeps none of them in the data root."""
    try:
        return len(
            boltdb.list_buckets(purge.CONTAINERD_DATA / METADATA, _SCHEMA, _NAMESPACE, _IMAGES)
        )
    except (OSError, boltdb.BoltError):
        return 0


def _list_folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [each.name for each in entries if each.is_dir(follow_symlinks=False)]
    except OSError:
        return []
