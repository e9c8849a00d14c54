# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where packages come from: the repositories of the sources asked for, tried in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dockmgrd.catalog.platforms import Platform, Tree, find_tree
from dockmgrd.catalog.sources import Catalog
from dockmgrd.errors import DockmgrError, SourceUnreachable, redact
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages.fastest import measure_sources, order_repositories
from dockmgrd.job.packages.repofile import Repository
from dockmgrd.messages import packages as messages
from dockmgrd.options.packages import (
    FASTEST,
    InstallOptions,
    ListVersionsOptions,
    ProbeSourcesOptions,
)

CUSTOM = "custom"
"""Name of the source that is a repository of the caller's own."""


async def find_repositories(
    context: JobContext, options: InstallOptions | ListVersionsOptions
) -> list[Repository]:
    """Docker's repository for this host at each of the sources, in the order to try.

    :raises InvalidArgs: when a source is unknown.
    :raises UnsupportedPlatform: when Docker has no packages for this host.
    :raises SourceUnreachable: when the fastest one is wanted, and none works.
    """
    if isinstance(options, InstallOptions) and options.repo_url:
        return [_make_custom_repository(options)]
    tree = _find_tree(options.platform)
    if options.sources == (FASTEST,):
        plan = options.plan if isinstance(options, InstallOptions) else ""
        return await order_repositories(context, tree, options.channel, plan)
    catalog = Catalog.load()
    sources = [catalog.get_source(name) for name in options.sources]
    return [Repository(source, tree, options.channel) for source in sources]


async def probe_sources(context: JobContext, options: ProbeSourcesOptions) -> dict[str, Any]:
    """Measure the sources that the host may use; see `measure_sources` for the result.

    :raises UnsupportedPlatform: when Docker has no packages for this host.
    :raises SourceUnreachable: when there is nothing to measure.
    """
    return await measure_sources(context, _find_tree(options.platform), options.channel)


def _find_tree(platform: str) -> Tree:
    return Tree.parse(platform) if platform else find_tree(Platform.read())


@dataclass(frozen=True)
class Attempt:
    """A source that could not serve the request, and why."""

    repository: Repository
    error: DockmgrError

    def to_result(self) -> dict[str, Any]:
        """The attempt as a Result shows it."""
        text = self.error.text.map_values(redact)
        return {
            "source": self.repository.source.name,
            "error": self.error.dbus_name,
            "message": str(text),
            "cause": text.to_plain(),
        }


def describe_source(repository: Repository, failed: Sequence[Attempt]) -> dict[str, Any]:
    """What a Result says of the source that served the request.

    :returns: `source` and its `base-url`, and when others had failed before it, `tried`: the name
        of each of them, its error, the message, and the same as `cause` with id and arguments.
    """
    return {
        "source": repository.source.name,
        "base-url": redact(repository.base_url),
        **({"tried": [each.to_result() for each in failed]} if failed else {}),
    }


def combine_errors(failed: Sequence[Attempt]) -> DockmgrError:
    """The error when no source could serve: the only one, or what all have in common."""
    errors = [each.error for each in failed]
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    common = kinds.pop() if len(kinds) == 1 else SourceUnreachable
    reasons = messages.join_sentences(
        *(
            messages.SOURCE_FAILED(source=each.repository.source.name, reason=each.error.text)
            for each in failed
        )
    )
    return common(
        messages.NO_SOURCE_SERVES(reasons=reasons),
        {"tried": [each.to_result() for each in failed]},
    )


def _make_custom_repository(options: InstallOptions) -> Repository:
    """The caller's repository. Its packages must be signed by Docker's key all the same."""
    official = Catalog.load().get_source("official")
    source = replace(official, name=CUSTOM, title=options.repo_url, prefix=options.repo_url)
    tree = Tree("", "")
    return Repository(source, tree, options.channel, url=options.repo_url.rstrip("/"))
