# SPDX-License-Identifier: LGPL-2.1-or-later
"""The languages that the user reads, by the environment alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_ENGLISH = ("C", "POSIX", "en")


def list_languages(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the languages that the user reads, the best first, none after English.

    Only the variables count. Servers often have no locale but C, and are used over SSH from hosts
    that have others, so that what the C library supports says nothing.
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
