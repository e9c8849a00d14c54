# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which polkit actions a request needs, and the details that go with the question.

The daemon asks these, and the job asks itself again whether they are still the ones it was
started for: what a question depends on can change between the answer and the work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dockmgrd import names
from dockmgrd.mirror_urls import Mode, has_insecure, merge
from dockmgrd.model import Authorization
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.mirrors import SECONDS_TO_PROBE, ProbeOptions, SetMirrorOptions
from dockmgrd.options.packages import (
    InstallOptions,
    ListVersionsOptions,
    ProbeSourcesOptions,
    UninstallOptions,
)
from dockmgrd.options.validation import Options


@dataclass(frozen=True)
class KnownMirrors:
    """Mirrors that a question depends on, beside those that the caller names."""

    configured: tuple[str, ...] = ()
    """Those of the request's registry that this host has."""
    candidates: tuple[str, ...] = ()
    """Those of the catalogue, which everybody may probe."""
    admits: Callable[[str], bool] = lambda _: True
    """Whether the administrator's list of hosts for the request's registry, if there is one, has
    that of the mirror."""


def find_authorizations(options: Options, known: KnownMirrors) -> tuple[Authorization, ...]:
    """All that must be answered with yes before the request may run.

    Each effect asks for its own action, whatever verb it comes by.
    """
    if isinstance(options, InstallOptions):
        return _for_install(options, known)
    if isinstance(options, (ListVersionsOptions, ProbeSourcesOptions)):
        return ()
    if isinstance(options, SetMirrorOptions):
        return _for_set_mirror(options, known)
    if isinstance(options, ProbeOptions):
        return _for_probe(options, known)
    assert isinstance(options, UninstallOptions)
    return _for_uninstall(options)


def _for_install(options: InstallOptions, known: KnownMirrors) -> tuple[Authorization, ...]:
    """An empty list of mirrors is one, too: it takes away those that are there."""
    custom = " ".join(filter(None, (options.repo_url, options.containerd_rpm)))
    details = {
        "version": options.version or "latest",
        "channel": options.channel,
        "platform": options.platform or "host",
        "replace": _format_bool(options.replace_conflicting),
    }
    if custom:
        install = Authorization(names.ACTION_INSTALL_CUSTOM, {"url": custom, **details})
    else:
        install = Authorization(names.ACTION_INSTALL, {"source": options.source, **details})
    if options.mirrors is None or options.dry_run:
        return (install,)
    return (install, _for_mirrors(DOCKER_HUB, options.mirrors, Mode.REPLACE, known))


def _for_set_mirror(options: SetMirrorOptions, known: KnownMirrors) -> tuple[Authorization, ...]:
    """About the list that comes of it: a rule that lets somebody set one mirror must not let them
    take another one away. A dry run reads what everybody may read, and connects to nothing new.
    """
    if not options.dry_run:
        mirrors = merge(options.mode, known.configured, options.mirrors)
        return (_for_mirrors(options.registry, mirrors, options.mode, known),)
    return (
        _for_probe(ProbeOptions(options.mirrors, options.registry), known) if options.verify else ()
    )


def _for_mirrors(
    registry: str, mirrors: tuple[str, ...], mode: Mode, known: KnownMirrors
) -> Authorization:
    trusted = not has_insecure(mirrors) and all(map(known.admits, mirrors))
    action = names.ACTION_SET_MIRROR if trusted else names.ACTION_SET_MIRROR_INSECURE
    details = {"mirrors": " ".join(mirrors), "registry": registry, "mode": mode.value}
    return Authorization(action, details)


def _for_probe(options: ProbeOptions, known: KnownMirrors) -> tuple[Authorization, ...]:
    """None for mirrors that the administrator or the package chose, asked in the usual time.

    Anything else has root's process connect to where a user says, and tell what is there.
    """
    free = {*known.candidates, *known.configured}
    if options.timeout <= SECONDS_TO_PROBE and free.issuperset(options.mirrors):
        return ()
    details = {"mirrors": " ".join(options.mirrors), "registry": options.registry}
    return (Authorization(names.ACTION_PROBE, details),)


def _for_uninstall(options: UninstallOptions) -> tuple[Authorization, ...]:
    details = {
        "purge": _format_bool(options.purge_data),
        "force": _format_bool(options.force),
        "keep-config": _format_bool(options.keep_config),
    }
    uninstall = Authorization(names.ACTION_UNINSTALL, details)
    purge = Authorization(names.ACTION_PURGE_DATA, details)
    return (uninstall, purge) if options.purge_data and not options.dry_run else (uninstall,)


def needs_candidates(options: Options) -> bool:
    """Whether `find_authorizations` looks at the candidates, which are slow to read."""
    verifies = isinstance(options, SetMirrorOptions) and options.dry_run and options.verify
    return verifies or isinstance(options, ProbeOptions)


def _format_bool(value: bool) -> str:  # noqa: FBT001
    return "yes" if value else "no"
