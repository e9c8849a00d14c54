# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make picture`: the page on a host, light, dark and in Chinese, as docs/page*.png."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import expect

from bed import cockpit, sites
from bed.host import Host
from bed.suites import TRIXIE
from browser.chromium import Window, open_window, start_playwright

FOLDER = Path(__file__).parents[2] / "docs"
SIZE = (1200, 720)
_MIRRORS = (f"https://{sites.MIRROR}", f"https://{sites.MIRROR2}")


def main() -> None:
    with ExitStack() as stack:
        playwright = stack.enter_context(start_playwright())
        host = stack.enter_context(Host(TRIXIE, cockpit.docker(TRIXIE)))
        window = stack.enter_context(open_window(playwright, host))
        host.run("dockmgrctl", "set-mirror", *_MIRRORS)
        host.run("dockmgrctl", "probe", *_MIRRORS)
        take(window, "page.png")
        take(window, "page-dark.png", dark=True)
        take(window, "page.zh_CN.png", language="zh-cn")
        take_plan(window)


def take(window: Window, name: str, *, dark: bool = False, language: str = "") -> None:
    with window.visit("alice", admin=True, size=SIZE, dark=dark, language=language) as visit:
        expect(visit.frame.locator("#mirrors tbody tr")).to_have_count(len(_MIRRORS))
        visit.page.screenshot(path=FOLDER / name, animations="disabled")


def take_plan(window: Window) -> None:
    """A plan that removes a package."""
    host = window.host
    host.run("dockmgrctl", "uninstall", "--yes", timeout=120)
    host.run("dnf", "-y", "install", "podman-docker", timeout=120)
    with window.visit("alice", admin=True, size=SIZE) as visit:
        visit.frame.locator("#install").click()
        expect(visit.frame.locator("#source option")).not_to_have_count(0)
        visit.frame.locator("#source").select_option("aliyun")
        visit.frame.locator("#go").click()
        expect(visit.frame.locator("#removals")).to_be_visible()
        visit.page.screenshot(path=FOLDER / "page-plan.png", animations="disabled")


if __name__ == "__main__":
    main()
