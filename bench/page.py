# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Cockpit page in a browser, beside Cockpit's own page of the services."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator

from bed import cockpit, sites
from bed.suites import TRIXIE
from bench.hosts import boot_host
from bench.pairs import Comparison, compare
from browser.chromium import ORIGIN, Visit, open_window, start_playwright

_RUNS = 7
_PAGES = f"{ORIGIN}/cockpit/@localhost"
_SERVICES = (f"{_PAGES}/system/services.html", "#services-list, .services-list")
_OURS = (f"{_PAGES}/dockmgr/index.html", "#engine")
_DAEMON_JSON = "/etc/docker/daemon.json"


def measures() -> Iterator[Comparison]:
    with (
        start_playwright() as playwright,
        boot_host(cockpit.docker(TRIXIE), suite=TRIXIE) as host,
        open_window(playwright, host) as window,
        window.visit("alice", admin=True, top=True) as visit,
    ):
        yield script_time(visit)
        yield time_until_drift_is_shown(visit)


def script_time(visit: Visit) -> Comparison:
    """The time that scripts take until the page shows what it knows, without Cockpit's shell."""

    def load(url: str, selector: str) -> Callable[[], float]:
        def run() -> float:
            # The counter of a tab begins at zero, and may do so again when the tab goes elsewhere.
            tab = visit.page.context.new_page()
            metrics = tab.context.new_cdp_session(tab)
            metrics.send("Performance.enable")
            tab.goto(url)
            tab.locator(selector).first.wait_for()
            answer = metrics.send("Performance.getMetrics")
            tab.close()
            values = {each["name"]: each["value"] for each in answer["metrics"]}
            return float(values["ScriptDuration"])

        return run

    what = "script time of the page"
    return compare(what, "Cockpit's services page", load(*_OURS), load(*_SERVICES), runs=_RUNS)


def time_until_drift_is_shown(visit: Visit) -> Comparison:
    """From an edit of daemon.json to the button on the page, and to the answer of dockmgrctl."""
    host, shown = visit.host, visit.page.locator("#apply-file")
    contents = itertools.cycle(
        json.dumps({"registry-mirrors": mirrors})
        for mirrors in ([f"https://{sites.MIRROR}"], [f"https://{sites.MIRROR2}"])
    )

    def edit() -> float:
        host.run("systemctl", "reload", "docker.service")
        shown.wait_for(state="detached")
        host.write(_DAEMON_JSON, next(contents))
        return time.monotonic()

    def ours() -> float:
        started = edit()
        shown.wait_for()
        return time.monotonic() - started

    def theirs() -> float:
        started = edit()
        while not json.loads(host.run("dockmgrctl", "status", "--json").stdout)["mirrors-drift"]:
            pass
        seconds = time.monotonic() - started
        shown.wait_for()
        return seconds

    visit.page.goto(_OURS[0])
    what = "drift of daemon.json on the page"
    return compare(what, "dockmgrctl status", ours, theirs, runs=_RUNS)
