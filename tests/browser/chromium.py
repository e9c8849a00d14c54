# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run Debian's Chromium on the loopback interface of a host, and log in to Cockpit."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Frame, Page, Playwright, Request, expect, sync_playwright

from bed.host import Host

ORIGIN = "http://127.0.0.1:9090"
PAGE_FRAME = "cockpit1:localhost/dockmgr"
TIMEOUT = 60_000  # milliseconds: a loaded machine is slow, and what never comes is worth the wait
WIDE, NARROW = (1280, 900), (390, 844)
_CHROMIUM = "/usr/bin/chromium"
_OWN_URL = re.compile(r"/dockmgr/|@localhost/dockmgr")
# The shell's own pages are not ours: it asks for fonts that Debian does not ship, for example.
_FRAMED = re.compile("/cockpit/.*dockmgr")

# Chromium gives up its requests when an address comes or goes (ERR_NETWORK_CHANGED). The interface
# of a container gets one some time after its start, and only of IPv6.
_DISABLE_IPV6 = """
for each in /proc/sys/net/ipv6/conf/*; do
    case $each in */all | */lo) ;; *) echo 1 >"$each/disable_ipv6" ;; esac
done
"""

_RUN_AXE = """() => {
  axe.run(document, { resultTypes: ["violations"] }).then(result => {
    const found = document.createElement("meta");
    found.id = "axe";
    found.content = JSON.stringify(
      result.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 120))]));
    document.head.append(found);
  });
}"""
_FIND_WIDE = """() => [document.documentElement, document.querySelector("main")]
  .filter(each => each.scrollWidth > each.clientWidth).map(each => each.tagName)"""

expect.set_options(timeout=TIMEOUT)


@cache
def axe_source() -> str:
    """Return axe-core, as npm has it. Raises KeyError when `make check-page` did not say where."""
    return Path(os.environ["PAGE_TOOLS"], "node_modules/axe-core/axe.min.js").read_text()


@dataclass
class Visit:
    """A person at the page. `page` is the whole window, `frame` our document in it."""

    page: Page
    frame: Frame
    host: Host
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    """Requests that left the origin."""

    def become_admin(self, password: str = "alice") -> None:
        """Turn on administrative access by the shell's own dialog."""
        self.page.locator("button:visible", has_text="Limited access").first.click()
        field_ = self.page.locator("[role=dialog] input[type=password]").first
        field_.fill(password)
        field_.press("Enter")
        gained = self.page.locator("button:visible", has_text="Administrative access")
        expect(gained.first).to_be_visible()
        for close in self.page.locator("[role=dialog] button:visible", has_text="Close").all():
            close.click()

    def drop_admin(self) -> None:
        """Turn administrative access off again."""
        self.page.locator("button:visible", has_text="Administrative access").first.click()
        self.page.locator("[role=dialog] button:visible", has_text="Limit access").first.click()
        expect(self.page.locator("button:visible", has_text="Limited access").first).to_be_visible()

    def check_accessibility(self) -> None:
        """Raise AssertionError when axe finds a violation in what is to be seen now."""
        if not self.frame.evaluate("() => 'axe' in window"):
            self.frame.evaluate(axe_source())
        # Cockpit 287 replaces Promise with its own, for which evaluate does not wait.
        self.frame.evaluate(_RUN_AXE)
        result = self.frame.locator("meta#axe")
        result.wait_for(state="attached")
        violations = json.loads(result.get_attribute("content") or "[]")
        self.frame.evaluate("() => document.getElementById('axe').remove()")
        assert violations == []

    def check_width(self) -> None:
        """Raise AssertionError when something scrolls sideways."""
        assert self.frame.evaluate(_FIND_WIDE) == []

    def text(self) -> str:
        return self.frame.locator("main").inner_text()


@dataclass(frozen=True)
class Window:
    """Opens visits to a host."""

    host: Host
    browser: Browser

    @contextlib.contextmanager
    def visit(
        self,
        user: str,
        *,
        admin: bool = False,
        size: tuple[int, int] = WIDE,
        language: str = "",
        dark: bool = False,
        path: str = "",
        top: bool = False,
    ) -> Iterator[Visit]:
        """Log in and open the page. With `top` it has no shell around it, as on a desktop.

        Raises AssertionError in the end when the page has complained on the console or asked
        another origin for something.
        """
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(TIMEOUT)
        if language:
            context.add_cookies([{"name": "CockpitLang", "value": language, "url": ORIGIN}])
        page = context.new_page()
        visit = Visit(page, page.main_frame, self.host)
        _listen(page, visit)
        try:
            page.goto(f"{ORIGIN}/dockmgr{path}")
            page.locator("#login-user-input").wait_for()
            if admin:
                page.evaluate("name => localStorage.setItem(name, 'any')", f"superuser:{user}")
            page.fill("#login-user-input", user)
            page.fill("#login-password-input", user)
            page.click("#login-button")
            page.locator(f"iframe[name='{PAGE_FRAME}']").wait_for(state="attached")
            visit.frame = _our_frame(page)
            visit.frame.locator("#history").wait_for()
            if top:
                page.goto(f"{ORIGIN}/cockpit/@localhost/dockmgr/index.html")
                visit.frame = page.main_frame
                visit.frame.locator("#history").wait_for()
            yield visit
            assert visit.complaints == [], visit.complaints
            assert visit.foreign == [], visit.foreign
        except BaseException:
            _keep_screenshot(page)
            raise
        finally:
            context.close()


def _our_frame(page: Page) -> Frame:
    """The frame of our page: its element is there a moment before the frame has its name."""
    frame = page.frame(PAGE_FRAME)
    while frame is None:
        page.wait_for_event("framenavigated")
        frame = page.frame(PAGE_FRAME)
    frame.wait_for_url(_FRAMED)
    return frame


def _listen(page: Page, visit: Visit) -> None:
    def on_request(request: Request) -> None:
        if not request.url.startswith((ORIGIN, "data:", "blob:", "chrome")):
            visit.foreign.append(request.url)

    def on_console(message: Any) -> None:
        ours = _OWN_URL.search(f"{message.location} {message.text}")
        if ours and message.type in ("error", "warning"):
            visit.complaints.append(f"{message.type}: {message.text}")

    def on_error(error: Any) -> None:
        if _OWN_URL.search(str(error.stack)):
            visit.complaints.append(f"{error}\n{error.stack}")

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", on_error)


def _keep_screenshot(page: Page) -> None:
    folder = os.environ.get("PAGE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        _, name = tempfile.mkstemp(".png", "failed-", folder)
        with contextlib.suppress(Exception):
            page.screenshot(path=name)


@contextlib.contextmanager
def open_window(playwright: Playwright, host: Host) -> Iterator[Window]:
    """Start a browser in the host's network namespace."""
    enter = f"nsenter --target {host.leader} --net"
    subprocess.run([*enter.split(), "sh", "-euc", _DISABLE_IPV6], check=True)
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder, "chromium")
        wrapper.write_text(f'#!/bin/sh\nexec {enter} {_CHROMIUM} "$@"\n')
        wrapper.chmod(0o755)
        browser = playwright.chromium.launch(executable_path=str(wrapper), args=["--no-sandbox"])
        try:
            yield Window(host, browser)
        finally:
            browser.close()


def start_playwright() -> Any:
    """Return a context manager for a Playwright."""
    return sync_playwright()
