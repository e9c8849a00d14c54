# SPDX-License-Identifier: LGPL-2.1-or-later
"""Words of the service that stand for a state, for people.

Only a property that has such a word is looked up here, so that no name is taken for one.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockmgrd.cli.i18n.translation import N_, _

STAGES: Mapping[str, str] = {
    "preparing": N_("preparing"),
    "metadata": N_("metadata"),
    "resolving": N_("resolving"),
    "downloading": N_("downloading"),
    "checking": N_("checking"),
    "installing": N_("installing"),
    "configuring": N_("configuring"),
    "starting": N_("starting"),
    "stopping": N_("stopping"),
    "removing": N_("removing"),
    "verifying": N_("verifying"),
    "probing": N_("probing"),
    "purging": N_("purging"),
    "finished": N_("finished"),
}
JOB_STATES: Mapping[str, str] = {
    "running": N_("running"),
    "done": N_("done"),
    "failed": N_("failed"),
    "cancelled": N_("canceled"),
    "interrupted": N_("interrupted"),
}
SERVICE_STATES: Mapping[str, str] = {
    "active": N_("active"),
    "inactive": N_("inactive"),
    "failed": N_("failed"),
    "activating": N_("activating"),
    "deactivating": N_("deactivating"),
    "reloading": N_("reloading"),
}
VERDICTS: Mapping[str, str] = {
    "ok": N_("ok"),
    "unresolvable": N_("unresolvable"),
    "refused": N_("refused"),
    "unreachable": N_("unreachable"),
    "timeout": N_("timeout"),
    "untrusted": N_("untrusted"),
    "broken": N_("broken"),
    "denied": N_("denied"),
    "rate-limited": N_("rate-limited"),
    "missing": N_("missing"),
    "failing": N_("failing"),
    "corrupt": N_("corrupt"),
    "not-a-registry": N_("not-a-registry"),
    "proxy": N_("proxy"),
    "misconfigured": N_("misconfigured"),
}
REGIONS: Mapping[str, str] = {"world": N_("world"), "cn": N_("cn")}


def translate_word(words: Mapping[str, str], word: str) -> str:
    """Return the word in the user's language; one that is not in the table stays as it is."""
    return _(words[word]) if word in words else word
