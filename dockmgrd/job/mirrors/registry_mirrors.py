# SPDX-License-Identifier: LGPL-2.1-or-later
"""SetMirror for a registry other than Docker Hub: its hosts.toml, which the engine reads each time.

Such a file has the engine load no certificates from its folder any more, and take no notice of
insecure-registries, so it names them: moby's daemon/hosts.go.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dockmgrd import names, paths
from dockmgrd.enums import Stage
from dockmgrd.errors import ConfigConflict, ConfigInvalid, InvalidArgs
from dockmgrd.host import dockerd, hosts_toml, registry_folders
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.hosts_support import (
    HostsSupport,
    judge_running_engine,
    judge_stopped_engine,
)
from dockmgrd.host.hosts_toml import Certificates, Endpoint
from dockmgrd.host.hosts_writer import HostsWriter
from dockmgrd.host.registry_certificates import read_certificates
from dockmgrd.host.registry_folders import DEFAULT_FOLDER, HOSTS_TOML, RegistryFile
from dockmgrd.job.context import JobContext
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.mirrors import change
from dockmgrd.job.mirrors.engine_control import find_engine_control, read_command_line, read_facts
from dockmgrd.job.mirrors.verification import verify_mirrors
from dockmgrd.messages import engine as engine_messages
from dockmgrd.messages import registries as messages
from dockmgrd.messages.text import Text
from dockmgrd.mirror_urls import merge
from dockmgrd.options.mirrors import SetMirrorOptions

_LOCAL_NAME = "localhost"


@dataclass(frozen=True)
class _Plan:
    """A change that the host allows."""

    file: RegistryFile
    wanted: tuple[str, ...]
    after: bytes | None
    """The content that the file will have; None for no file."""
    active: bool
    """Whether a running engine uses the mirrors."""

    @property
    def is_needed(self) -> bool:
        return self.after != self.file.content

    @property
    def is_public(self) -> bool:
        """Whether everybody may see the file."""
        path = self.file.path
        return change.is_public(path if self.file.content is not None else path.parent)

    def describe_diff(self) -> str:
        """The change as a diff; "" when there is none, or when not everybody may see the file."""
        if not (self.is_needed and self.is_public):
            return ""
        return FileChange(self.file.path, self.file.content, self.after).diff()


async def set_registry_mirrors(context: JobContext, options: SetMirrorOptions) -> dict[str, Any]:
    """Change the mirrors of a registry. The engine uses them at its next pull, without a reload.

    A dry run changes nothing, and returns `actions` as well, which are none.

    :returns: `changed`, `registry`, `mirrors`, `active`: whether a running engine uses them, and
        `diff`, when everybody can read the file.
    :raises ConfigConflict: when another hand has written the hosts.toml, or it names other mirrors
        than expected.
    :raises InvalidArgs: when the engine does not use such files.
    :raises ConfigInvalid, ServiceFailed: when the file cannot be read, or the engine not be asked.
    :raises TransactionFailed: when rpm's database cannot be read.
    :raises MirrorUnreachable: as `verify_mirrors`.
    :raises UnsafePath, InsufficientSpace, WriteFailed: when the file cannot be written; it is as it
        was.
    """
    context.report(Stage.PREPARING, 0.05)
    plan = await _prepare(context, options)
    result = {
        "changed": plan.is_needed,
        "registry": options.registry,
        "mirrors": list(plan.wanted),
        "active": plan.active,
        "diff": plan.describe_diff(),
    }
    if options.dry_run:
        if plan.is_needed and not plan.is_public:
            context.add_note(engine_messages.DIFF_NOT_SHOWN(file=str(plan.file.path)))
        return {**result, "dry-run": True, "actions": []}
    if plan.is_needed:
        context.report(Stage.CONFIGURING, 0.5)
        with context.hold():
            _write(plan)
    return result


async def _prepare(context: JobContext, options: SetMirrorOptions) -> _Plan:
    """Check everything that can be checked beforehand; raises as `set_registry_mirrors`."""
    file = registry_folders.read_file(options.registry)
    if file.is_foreign:
        text = messages.HOSTS_FILE_OF_OTHERS(file=str(file.path))
        raise ConfigConflict(text.with_remedy(messages.CHANGE_OR_MOVE_HOSTS_FILE()))
    change.require_expected(options.expected, file.mirrors, file.path)
    wanted = merge(options.mode, file.mirrors, options.mirrors)
    await verify_mirrors(context, options, wanted)
    unit = await context.systemd.get_state(names.DOCKER_UNIT)
    control = await find_engine_control(context.systemd, unit)
    facts, command_line = await asyncio.gather(
        read_facts(context.engine, control), read_command_line(context.systemd, unit, control)
    )
    if not wanted:
        return _check_plan(_Plan(file, wanted, None, active=False))
    if facts is not None:
        version = facts.version
        support = judge_running_engine(facts)
    else:
        version = (await context.packages.require_versions()).get("docker-ce", "")
        support = judge_stopped_engine(dockerd.parse_version(version), command_line)
    # What is set already may be reordered, or removed bit by bit.
    may_be_unused = options.allow_unused or set(wanted) <= set(file.mirrors)
    note = _describe_support(options.registry, support, version, may_be_unused=may_be_unused)
    context.add_notes([note] if note else [])
    if facts is None:
        absent = unit.load_state == "not-found"
        template = engine_messages.ENGINE_NOT_INSTALLED if absent else None
        context.add_note((template or engine_messages.ENGINE_NOT_RUNNING)())
    active = facts is not None and support is HostsSupport.USED
    after = _render(file, wanted, _list_insecure(facts))
    return _check_plan(_Plan(file, wanted, after, active))


def _check_plan(plan: _Plan) -> _Plan:
    """The plan, when nothing keeps the file from being changed; raises as `HostsWriter`."""
    if plan.is_needed:
        HostsWriter(plan.file.path.parent, plan.file.content).check()
    return plan


def _describe_support(
    registry: str, support: HostsSupport, version: str, *, may_be_unused: bool
) -> Text | None:
    """What may keep the engine from using the mirrors, as a note; None when nothing does.

    :param version: of the engine, or of its package.
    :raises InvalidArgs: when it certainly does not use them, unless they may be unused.
    """
    if support is HostsSupport.USED:
        return None
    if support is HostsSupport.UNKNOWN:
        return messages.SUPPORT_UNKNOWN(registry=registry)
    if support is HostsSupport.OLD_ENGINE:
        number = ".".join(map(str, dockerd.parse_version(version) or ()))
        text = messages.OLD_ENGINE(version=number, registry=registry)
        remedy = messages.UPGRADE_ENGINE()
    else:
        text = messages.CLASSIC_STORE(registry=registry)
        remedy = messages.SWITCH_STORE()
    if not may_be_unused:
        raise InvalidArgs(text.with_remedy(remedy))
    return text


def _list_insecure(facts: EngineFacts | None) -> Collection[str]:
    """The registries and networks that the engine uses without checking certificates."""
    if facts is not None:
        return facts.insecure
    try:
        return change.read_config()[1].insecure
    except ConfigInvalid:
        return ()


def _render(file: RegistryFile, wanted: tuple[str, ...], insecure: Collection[str]) -> bytes:
    """The new content.

    :raises ConfigConflict: when it would hide settings that hold for the registry now.
    """
    folder = file.path.parent
    is_new = not os.path.exists(folder)
    certificates = read_certificates(folder, relative=True)
    if is_new:
        certificates = _read_default_certificates(file.registry)
    unchecked = _is_insecure(file.registry, insecure)
    # For a server that is named here, only http lets the engine try both protocols.
    server = Endpoint(f"http://{file.registry}/" if unchecked else "", certificates, unchecked)
    mirrors = [_make_mirror(url, insecure) for url in wanted]
    made = is_new or (file.ours is not None and file.ours.made_folder)
    return hosts_toml.render(file.registry, server, mirrors, made_folder=made)


def _read_default_certificates(registry: str) -> Certificates:
    """The certificates that hold for a registry without a folder of its own.

    :raises ConfigConflict: when there are mirrors, too, which a new folder would hide.
    """
    default = paths.REGISTRY_CERTIFICATES / DEFAULT_FOLDER
    hosts = default / HOSTS_TOML
    if os.path.exists(hosts):
        text = messages.DEFAULT_HOSTS_FILE_HIDDEN(file=str(hosts), registry=registry)
        remedy = messages.MAKE_REGISTRY_FOLDER(registry=registry)
        command = f"mkdir -p {paths.REGISTRY_CERTIFICATES / registry}"
        raise ConfigConflict(text.with_remedy(remedy, command))
    return read_certificates(default, relative=False)


def _make_mirror(url: str, insecure: Collection[str]) -> Endpoint:
    """The mirror with the certificates of its own folder, if it has one."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return Endpoint(url)
    certificates = read_certificates(registry_folders.find_folder(parts.netloc), relative=False)
    return Endpoint(url, certificates, _is_insecure(parts.netloc, insecure))


def _is_insecure(registry: str, insecure: Collection[str]) -> bool:
    """Whether the engine uses the registry without checking its certificate, by these settings.

    Registries of this host itself need no setting, and the engine does not resolve names for it.
    """
    host = urlsplit(f"//{registry}").hostname or ""
    if host == _LOCAL_NAME:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return registry in insecure
    if address.is_loopback:
        return False
    return registry in insecure or any(_contains(network, address) for network in insecure)


def _contains(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _write(plan: _Plan) -> None:
    """Write or delete the file; raises as `set_registry_mirrors`."""
    writer = HostsWriter(plan.file.path.parent, plan.file.content)
    if plan.after is not None:
        writer.write(plan.after)
    elif plan.file.ours is not None:
        writer.delete(with_folder=plan.file.ours.made_folder)
