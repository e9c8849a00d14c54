# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which packages an installation needs, and why it may be refused, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping

from dockmgrd import names, paths
from dockmgrd.errors import (
    ConfigInvalid,
    ConflictingPackages,
    DockmgrError,
    KernelModuleMissing,
    WriteFailed,
)
from dockmgrd.host import atomicfile
from dockmgrd.host.rpmdb import ENGINE, EXTRAS, OF_ENGINE_VERSION, PACKAGES
from dockmgrd.host.running_engine import find_unmanaged_engine
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors import change
from dockmgrd.job.packages.engine_service import require_kernel_modules
from dockmgrd.job.packages.installed_engine import make_unmanaged_error
from dockmgrd.job.packages.repofile import Repository, RepositoryFile
from dockmgrd.job.packages.writable_host import find_packages_refusal
from dockmgrd.job.plan import Plan
from dockmgrd.messages import dnf
from dockmgrd.mirror_urls import normalize_known
from dockmgrd.options.packages import InstallOptions


def list_packages(options: InstallOptions, installed: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the packages to bring to what the options say.

    An upgrade of an engine that is installed leaves out what the host has been left without.

    :param installed: what `InstalledPackages.require_versions` returns.
    """
    if options.upgrade and installed.keys() >= set(ENGINE):
        return tuple(name for name in PACKAGES if name in installed)
    return ENGINE if options.minimal else ENGINE + EXTRAS


async def find_refusal(
    context: JobContext, options: InstallOptions, repository: Repository
) -> DockmgrError | None:
    """Why the host does not allow it; None when nothing is known before the source is asked.

    :param repository: the one that is tried first.
    :raises TransactionFailed: when rpm's database cannot be read.
    """
    if _may_change_packages(options, await context.packages.require_versions()):
        refusal = find_packages_refusal()
        if refusal is not None:
            return refusal
    try:
        _check_files(options, repository)
        if options.start and not (await context.systemd.get_state(names.DOCKER_UNIT)).active:
            await require_kernel_modules()
            # Starting docker.socket would take the socket of that engine away.
            return make_unmanaged_error(find_unmanaged_engine(names.DOCKER_UNIT))
    except (ConfigInvalid, WriteFailed, KernelModuleMissing) as error:
        return error
    return None


def _check_files(options: InstallOptions, repository: Repository) -> None:
    """Check the files that have to change, and the one that the engine will read.

    :raises ConfigInvalid, WriteFailed: when one cannot be read, or not be changed.
    """
    if RepositoryFile().plan_change(repository) is not None:
        atomicfile.check_replaceable(paths.REPOSITORY)
    if options.mirrors is None:
        atomicfile.read(paths.DAEMON_JSON)  # dockerd itself decides what it makes of the content.
        return
    _, document = change.read_config()
    if normalize_known(document.mirrors) != normalize_known(options.mirrors):
        atomicfile.check_replaceable(paths.DAEMON_JSON)


def find_plan_refusal(plan: Plan, *, allow_removals: bool) -> ConflictingPackages | None:
    """The error of a plan that removes packages without consent; None for any other."""
    removed = [each for each in plan.changes if each.action == "remove"]
    if allow_removals or not removed:
        return None
    packages = [
        dnf.PACKAGE_AND_REASON(package=each.package, reason=each.reason)
        for each in sorted(removed, key=lambda each: each.package)
    ]
    text = dnf.INSTALL_WOULD_REMOVE(packages=packages)
    return ConflictingPackages(text.with_remedy(dnf.AGREE_TO_REPLACE()), plan.to_result())


def _may_change_packages(options: InstallOptions, installed: Mapping[str, str]) -> bool:
    """Whether rpm will have something to do, as far as that is known before the source is asked."""
    if options.upgrade or options.completion or options.containerd_rpm:
        return True
    return any(
        name not in installed
        or (name in OF_ENGINE_VERSION and not _has_version(installed[name], options.version))
        for name in list_packages(options, installed)
    )


def _has_version(installed: str, wanted: str) -> bool:
    """Whether the installed version-release is the wanted version, which may have a release."""
    return wanted in ("", installed, installed.rpartition("-")[0])
