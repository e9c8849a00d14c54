# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where packages come from: the repositories of the sources asked for, tried in their order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from dockmgrd.catalog.platforms import Platform, Tree, repository_tree
from dockmgrd.errors import DockmgrError, SourceUnreachable, redacted
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages.repofile import Repository
from dockmgrd.job.packages.worker import SourceFault
from dockmgrd.options import InstallOptions, ListVersionsOptions

CUSTOM = "custom"
"""Name of the source that is a repository of the caller's own."""

T = TypeVar("T")


def repositories(
    context: JobContext, options: InstallOptions | ListVersionsOptions
) -> list[Repository]:
    """Docker's repository for this host at each of the sources.

    :raises InvalidArgs: when a source is none.
    :raises UnsupportedPlatform: when Docker has no packages for this host.
    """
    if isinstance(options, InstallOptions) and options.repo_url:
        return [_custom(context, options)]
    tree = Tree.parse(options.platform) if options.platform else repository_tree(Platform.read())
    sources = [context.catalogue.source(name) for name in options.sources]
    return [Repository(source, tree, options.channel) for source in sources]


async def serve(
    candidates: Sequence[Repository], attempt: Callable[[Repository], Awaitable[T]]
) -> tuple[T, dict[str, Any]]:
    """Try the repositories in their order until one serves.

    :returns: what came of the attempt, and `source` with its `base-url` and, when others had
        failed, `tried`: the name of each of them, its error and the message.
    :raises DockmgrError: the error of the attempt that no other source would help; or, when all
        have failed, what they have in common, with every message.
    """
    tried: list[tuple[Repository, DockmgrError]] = []
    for repository in candidates:
        try:
            value = await attempt(repository)
        except SourceFault as fault:
            tried.append((repository, fault.error))
        else:
            return value, {
                "source": repository.source.name,
                "base-url": redacted(repository.base_url),
                **({"tried": _told(tried)} if tried else {}),
            }
    raise _failure(tried)


def _failure(tried: Sequence[tuple[Repository, DockmgrError]]) -> DockmgrError:
    errors = [error for _, error in tried]
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    common = kinds.pop() if len(kinds) == 1 else SourceUnreachable
    reasons = "; ".join(
        f"{repository.source.name}: {error.message.rstrip('.')}" for repository, error in tried
    )
    return common(f"None of the sources can serve this: {reasons}.", {"tried": _told(tried)})


def _told(tried: Sequence[tuple[Repository, DockmgrError]]) -> list[dict[str, str]]:
    return [
        {
            "source": repository.source.name,
            "error": error.dbus_name,
            "message": error.message,
        }
        for repository, error in tried
    ]


def _custom(context: JobContext, options: InstallOptions) -> Repository:
    """The caller's repository. Its packages must be signed by Docker's key all the same."""
    official = context.catalogue.source("official")
    source = replace(official, name=CUSTOM, title=options.repo_url, prefix=options.repo_url)
    tree = Tree("", "")
    return Repository(source, tree, options.channel, url=options.repo_url.rstrip("/"))
