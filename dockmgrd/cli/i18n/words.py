# SPDX-License-Identifier: LGPL-2.1-or-later
"""Words of the service that stand for a state, for people.

Only a property that has such a word is looked up here, so that no name is taken for one.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockmgrd.cli.i18n.translation import N_, _
from dockmgrd.messages import words

STAGES: Mapping[str, str] = {value: word.english for value, word in words.STAGES.items()}
JOB_STATES: Mapping[str, str] = {value: word.english for value, word in words.JOB_STATES.items()}
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


def translate_word(table: Mapping[str, str], word: str) -> str:
    """Return the word in the user's language; one that is not in the table stays as it is."""
    return _(table[word]) if word in table else word
