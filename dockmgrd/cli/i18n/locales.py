# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which languages the user reads, by the environment alone; it imports nothing, as `prepared`."""

from __future__ import annotations

TYPE_CHECKING = False  # as mypy knows it, without `typing`
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENGLISH = ("C", "POSIX", "en")


def languages(environment: Mapping[str, str]) -> Iterator[str]:
    """The languages that the user reads, the best first, none after English.

    Only what the variables say counts, and not whether the C library has that locale: servers
    often have none but C, and are used over ssh from elsewhere.
    """
    locales = map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, locales), "C")
    if locale in _ENGLISH:
        return
    for name in (environment.get("LANGUAGE") or locale).split(":"):
        bare = name.partition(".")[0].partition("@")[0]
        language = bare.partition("_")[0]
        if language in _ENGLISH:
            return
        if bare.replace("_", "").isalnum():  # it becomes part of a path
            yield bare
            yield language
