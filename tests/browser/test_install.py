# SPDX-License-Identifier: LGPL-2.1-or-later
"""Install Docker on a host with the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from bed import sites
from bed.api import Api
from bed.host import Host
from browser.chromium import Visit, Window
from integration.waiting import until_logged

HOSTILE = "<img src=x onerror=document.title='bad'>"
SOURCES = (
    f"sources:\n  hostile: {{title: \"{HOSTILE}\", prefix: 'https://{sites.TUNA}/docker-ce'}}\n"
)
SLOW = 200_000  # bytes a second: long enough to leave and to cancel


@pytest.mark.suites("bookworm", "trixie")
def test_access_is_gained_in_place(empty: Window) -> None:
    with empty.visit("alice") as visit:
        visit.frame.evaluate("() => { window.kept = true; }")
        expect(visit.frame.locator("#limited")).to_be_visible()
        expect(visit.frame.locator("#install")).to_have_count(0)
        visit.check_accessibility()
        visit.become_admin()
        expect(visit.frame.locator("#install")).to_be_visible()
        expect(visit.frame.locator("#limited")).to_have_count(0)
        if empty.host.suite.name == "trixie":  # 287 reloads the shell's own pages then
            visit.drop_admin()
            expect(visit.frame.locator("#install")).to_have_count(0)
        assert visit.frame.evaluate("() => window.kept")


@pytest.mark.suites("bookworm", "trixie")
def test_install_by_keyboard(empty: Window) -> None:
    """A removal needs its checkbox, a plan may change, and nothing takes the page off the job."""
    host = empty.host
    host.write("/etc/dockmgrd/sources.d/zz-hostile.yaml", SOURCES)
    host.run("dnf", "-y", "install", "podman-docker", timeout=120)
    with empty.visit("alice", admin=True) as visit:
        open_by_keyboard(visit)
        make_plan(visit, "aliyun")
        agree(visit)
        # Nothing is done by a plan that is not any more what would be done.
        host.run("dnf", "-y", "remove", "podman-docker", timeout=120)
        host.internet.fault(sites.ALIYUN, "slow", prefix="/docker-ce/linux", value=SLOW)
        visit.page.keyboard.press("Enter")
        expect(visit.frame.locator("#plan-changed")).to_be_visible()
        expect(visit.frame.locator("#removals")).to_have_count(0)
        visit.check_accessibility()
        visit.frame.locator("#go").press("Enter")
        expect(visit.frame.locator("#install-dialog")).to_have_count(0)
        expect(visit.frame.locator("#running")).to_be_visible()
        visit.check_accessibility()
    with empty.visit("alice", admin=True) as visit:
        # After a logout and a login the job is there, and can be canceled.
        visit.frame.locator("#cancel").click()
        expect(visit.frame.locator("#history")).to_contain_text("Canceled")
        host.internet.clear()
        install_over_a_kill(visit)
        assert Api(host).status()["installed"]
        expect(visit.frame.locator("#engine")).to_contain_text("Running")
        expect(visit.frame.locator("#running")).to_have_count(0)
        visit.check_accessibility()


def open_by_keyboard(visit: Visit) -> None:
    frame, keyboard = visit.frame, visit.page.keyboard
    frame.locator("#install").focus()
    keyboard.press("Enter")
    expect(frame.locator("#source option", has_text=HOSTILE)).to_have_count(1)
    # As many stops as the dialog has, and some more: the focus stays in it.
    for key in ["Tab"] * 9 + ["Shift+Tab"] * 3:
        keyboard.press(key)
        assert frame.evaluate("() => document.activeElement.closest('dialog') !== null")
    keyboard.press("Escape")
    expect(frame.locator("#install-dialog")).to_have_count(0)
    expect(frame.locator("#install")).to_be_focused()
    keyboard.press("Enter")
    expect(frame.locator("#source")).to_be_focused()
    visit.check_accessibility()
    frame.locator("#another").press("Space")
    expect(frame.locator("select[aria-label=Version] option")).not_to_have_count(0)
    frame.locator("#newest").press("Space")


def make_plan(visit: Visit, source: str) -> None:
    visit.frame.locator("#source").select_option(source)
    visit.frame.locator("#go").press("Enter")
    expect(visit.frame.locator("#install-dialog table")).to_be_visible()


def agree(visit: Visit) -> None:
    frame = visit.frame
    expect(frame.locator("#removals")).to_contain_text("podman-docker")
    go = frame.locator("#go")
    expect(go).to_have_attribute("aria-disabled", "true")
    go.press("Enter")
    expect(frame.locator("#running")).to_have_count(0)
    frame.locator("#agree").press("Space")
    expect(go).not_to_have_attribute("aria-disabled", "true")
    visit.check_accessibility()
    go.focus()


def install_over_a_kill(visit: Visit) -> None:
    """The daemon ends while packages are written, where the job cannot be canceled."""
    frame = visit.frame
    frame.evaluate(
        "() => { window.seen = []; new MutationObserver(() => { const bar ="
        " document.querySelector('#progress [role=progressbar]'); if (bar)"
        " window.seen.push(Number(bar.getAttribute('aria-valuenow'))); }).observe(document.body,"
        " { subtree: true, childList: true, attributes: true }); }"
    )
    frame.locator("#install").click()
    make_plan(visit, "aliyun")
    frame.locator("#go").click()
    expect(frame.locator("#running")).to_contain_text("Installing packages")
    expect(frame.locator("#cancel")).to_have_count(0)
    expect(frame.locator("#running")).to_contain_text("cannot be canceled now")
    end_daemon(visit.host)
    expect(frame.locator("#engine")).to_be_visible()
    expect(frame.locator(".pf-m-danger.pf-v6-c-alert")).to_have_count(0)
    seen = frame.evaluate("() => window.seen")
    assert seen == sorted(seen)
    assert seen


def end_daemon(host: Host) -> None:
    """By SIGKILL, after which systemd starts it again, or by a stop, after which a call does."""
    if host.suite.name == "trixie":
        host.run("systemctl", "stop", "dockmgrd.service")
        return
    host.run("systemctl", "kill", "--signal=KILL", "dockmgrd.service")
    until_logged(host, "dockmgrd.service: Scheduled restart job", "UNIT=dockmgrd.service")
