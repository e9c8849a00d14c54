# SPDX-License-Identifier: LGPL-2.1-or-later
"""The web sites that a host finds on its loopback interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER = "download.docker.com"
ALIYUN = "mirrors.aliyun.com"
TUNA = "mirrors.tuna.tsinghua.edu.cn"
USTC = "mirrors.ustc.edu.cn"
UNSIGNED = "unsigned.bed.test"
STRANGER = "stranger.bed.test"
BASE = "os.bed.test"
MIRROR = "mirror.bed.test"
MIRROR2 = "mirror2.bed.test"
TOKEN_MIRROR = "token.bed.test"
UNTRUSTED_MIRROR = "untrusted.bed.test"


@dataclass(frozen=True)
class Site:
    """What answers under a host name."""

    kind: str
    """`files`, `registry`, or `registry-with-token` (which asks for an anonymous bearer token)."""
    prefix: str = ""
    """The part of the path before `directory`'s content."""
    directory: str = ""
    """The directory served, below the repositories of the suite."""
    certified: bool = True
    """Whether the server's certificate holds for this name."""


SITES: Mapping[str, Site] = {
    DOCKER: Site("files", directory="docker"),
    ALIYUN: Site("files", prefix="/docker-ce", directory="docker"),
    TUNA: Site("files", prefix="/docker-ce", directory="docker"),
    USTC: Site("files", prefix="/docker-ce", directory="docker"),
    UNSIGNED: Site("files", directory="unsigned"),
    STRANGER: Site("files", directory="stranger"),
    BASE: Site("files", directory="base"),
    MIRROR: Site("registry"),
    MIRROR2: Site("registry"),
    TOKEN_MIRROR: Site("registry-with-token"),
    UNTRUSTED_MIRROR: Site("registry", certified=False),
}
