# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who else keeps images and containers with containerd, such as the kubelet of a Kubernetes node.

containerd keeps the data of each of its clients in a namespace. The namespaces are read from its
metadata and from the folders of its running tasks: that works whether it runs or not, and without
an API that Python has no client for or a `ctr` whose output is not made for programs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockmgrd.host.containerd_places import DEFAULT_ROOT, ContainerdPlaces
from dockmgrd.job.packages import boltdb
from dockmgrd.messages import packages as messages
from dockmgrd.messages.text import NOTHING, Text

_OF_DOCKER = ("moby", "plugins.moby")
METADATA = "io.containerd.metadata.v1.bolt/meta.db"
_TASKS = "io.containerd.runtime.v2.task"
# The buckets of a namespace that hold what would be lost (containerd: metadata/buckets.go).
_CONTENT_BUCKETS = ((b"images",), (b"containers",), (b"content", b"blob"), (b"sandboxes",))
_SNAPSHOTS = b"snapshots"  # It holds a bucket for each snapshotter.
_SCHEMA = b"v1"


@dataclass(frozen=True)
class ForeignData:
    """The namespaces that are not Docker's and are not empty."""

    namespaces: tuple[str, ...] = ()
    with_tasks: tuple[str, ...] = ()
    """Those of them in which something runs."""
    unreadable: Text = NOTHING
    """Why nobody can tell what is in the metadata; NOTHING when that is known."""
    in_use: bool = False
    """Whether a containerd of others works in the folder that a purge deletes."""
    other_roots: tuple[Path, ...] = ()
    """Folders with data of containerd that a purge does not delete."""

    @property
    def may_exist(self) -> bool:
        return bool(self.namespaces or self.unreadable or self.in_use)


def find_foreign_data(places: ContainerdPlaces, default_root: Path = DEFAULT_ROOT) -> ForeignData:
    """What others keep with this host's containerd.

    :param default_root: the folder that a purge deletes. containerd may have kept its data there
        before somebody configured another folder.
    """
    tasks = {name for state in places.states for name in _list_task_namespaces(state / _TASKS)}
    unreadable = NOTHING
    with_content: set[str] = set()
    for folder in dict.fromkeys((*places.roots, default_root)):
        metadata = folder / METADATA
        try:
            with_content.update(_list_namespaces(metadata))
        except FileNotFoundError:
            pass  # containerd has never run with this folder.
        except OSError as error:
            reason = str(error.strerror)
            unreadable = messages.METADATA_UNREADABLE(file=str(metadata), reason=reason)
        except boltdb.BoltError:
            unreadable = messages.METADATA_UNKNOWN(file=str(metadata))
    return ForeignData(
        tuple(sorted((with_content | tasks) - set(_OF_DOCKER))),
        tuple(sorted(tasks - set(_OF_DOCKER))),
        unreadable,
        in_use=default_root in places.used_roots,
        other_roots=tuple(
            root
            for root in places.roots
            if root != default_root and os.path.exists(root / METADATA)
        ),
    )


def _list_namespaces(metadata: Path) -> Iterator[str]:
    """Namespaces with an image, a container, a snapshot or content."""
    for namespace in boltdb.list_buckets(metadata, _SCHEMA):
        snapshotters = boltdb.list_buckets(metadata, _SCHEMA, namespace, _SNAPSHOTS)
        places = (*_CONTENT_BUCKETS, *((_SNAPSHOTS, each) for each in snapshotters))
        if any(boltdb.has_keys(metadata, _SCHEMA, namespace, *each) for each in places):
            yield namespace.decode("utf-8", "replace")


def _list_task_namespaces(tasks: Path) -> Iterator[str]:
    try:
        folders = list(tasks.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    for folder in folders:
        if os.path.isdir(folder) and os.listdir(folder):
            yield folder.name
