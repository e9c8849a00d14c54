# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of the Docker Engine API as records: https://docs.docker.com/reference/api/engine/

Behind docker.sock may be another program, such as podman with its own idea of the API. What may be
missing has a default; a value of another type is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from dockmgrd.mirror_urls import normalize_known

T = TypeVar("T")

_CONTAINERD_STORE = ["driver-type", "io.containerd.snapshotter.v1"]
_SHORT_ID = 12


class UnknownForm(ValueError):  # it is no error of the API
    """An answer is not of the form that the Engine API has."""


@dataclass(frozen=True)
class EngineFacts:
    """What we need of /info."""

    version: str = ""
    mirrors: tuple[str, ...] = ()
    """Registry mirrors in use, in their order and normal; dockerd keeps the file's spelling."""
    insecure: frozenset[str] = frozenset()
    """Registries and networks that it uses without checking certificates."""
    containerd_store: bool = False
    """Whether containerd stores the images; it reads hosts.toml files instead of mirrors."""
    http_proxy: str = ""
    """The proxy for http, its user and password replaced by xxxxx; "" for none."""
    https_proxy: str = ""
    no_proxy: str = ""
    """Hosts that it reaches without the proxies, separated by commas."""
    data_root: str = ""
    containers: int = 0
    """How many there are, running or not."""
    images: int = 0
    live_restore: bool = False
    """Whether containers outlive the engine."""


@dataclass(frozen=True)
class Container:
    """A running container."""

    id: str
    name: str
    """The first name; the start of the id while it has none, as when it is being removed."""


def parse_version(answer: Any) -> str:
    """:raises UnknownForm: if the answer is not that of /version."""
    return _get(_check(answer, dict), "Version", str)


def parse_info(answer: Any) -> EngineFacts:
    """:raises UnknownForm: if the answer is not that of /info."""
    info = _check(answer, dict)
    registry = _get(info, "RegistryConfig", dict, {})
    indexes = _get(registry, "IndexConfigs", dict, {})
    hosts = {str(name) for name, index in indexes.items() if _is_insecure(index)}
    return EngineFacts(
        version=_get(info, "ServerVersion", str, ""),
        data_root=_get(info, "DockerRootDir", str, ""),
        containers=_get(info, "Containers", int, 0),
        images=_get(info, "Images", int, 0),
        live_restore=_get(info, "LiveRestoreEnabled", bool, default=False),
        mirrors=normalize_known(_get_texts(registry, "Mirrors")),
        insecure=frozenset(hosts.union(_get_texts(registry, "InsecureRegistryCIDRs"))),
        containerd_store=_CONTAINERD_STORE in _get(info, "DriverStatus", list, []),
        http_proxy=_get(info, "HttpProxy", str, ""),
        https_proxy=_get(info, "HttpsProxy", str, ""),
        no_proxy=_get(info, "NoProxy", str, ""),
    )


def parse_containers(answer: Any) -> tuple[Container, ...]:
    """:raises UnknownForm: if the answer is not that of /containers/json."""
    return tuple(_parse_container(_check(each, dict)) for each in _check(answer, list))


def parse_volumes(answer: Any) -> tuple[str, ...]:
    """:raises UnknownForm: if the answer is not that of /volumes."""
    volumes = _get(_check(answer, dict), "Volumes", list, [])
    return tuple(_get(_check(each, dict), "Name", str) for each in volumes)


def _is_insecure(index: Any) -> bool:
    return not _get(_check(index, dict), "Secure", bool, default=True)


def _parse_container(container: Mapping[str, Any]) -> Container:
    number = _get(container, "Id", str)
    names = _get_texts(container, "Names")
    return Container(number, names[0].lstrip("/") if names else number[:_SHORT_ID])


def _get(values: Mapping[str, Any], key: str, kind: type[T], default: T | None = None) -> T:
    """Return the value of the key; the default, if there is one, for null and for no value."""
    value = values.get(key)
    if value is None and default is not None:
        return default
    return _check(value, kind, key)


def _get_texts(values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(_check(each, str, key) for each in _get(values, key, list, []))


def _check(value: Any, kind: type[T], key: str = "the answer") -> T:
    # A boolean of JSON is an int of Python.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UnknownForm(f"{key} is not of the type {kind.__name__}")
    return value
