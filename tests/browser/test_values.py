# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the page shows of others: hostile values, sentences in Chinese, a script from the right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bed import sites
from browser.chromium import NARROW, Visit, Window
from cockpit.translations import find_messages, read_catalog

MAIN_SUITES = pytest.mark.suites("bookworm", "trixie")
CATALOG = Path(__file__).parents[2] / "po" / "page" / "zh_CN.po"
HOSTILE = "<img src=x onerror=document.title='bad'>"
MIRROR, MIRROR2 = (f"https://{host}/" for host in (sites.MIRROR, sites.MIRROR2))
# Shown by the page's own modules, as the service would say it: the engine has no such names.
_SHOW_HOSTILE = """name => {
  const texts = { package: name, reason: { id: "", text: name }, path: name, bytes: 1 };
  const plan = {
    changed: true, digest: name, install: [texts], remove: [texts], stops: [name], diff: name,
    actions: [name], notes: [name], "download-bytes": 1, "disk-bytes": 1,
    refusal: { id: "", text: name },
  };
  const target = document.createElement("div");
  target.id = "hostile";
  document.querySelector("main").append(target);
  const show = ({ html, render }, { PlanView }) => render(html`<${PlanView} plan=${plan}
    agreed=${false} onAgree=${() => 0} installs=${true} />`, target);
  import("./html.js").then(base => import("./views/plan.js").then(view => show(base, view)));
}"""
# Cockpit sets the direction of its own language, and on a busy machine it does so late.
_KEEP_RIGHT_TO_LEFT = """() => {
  const root = document.documentElement;
  const set = () => { if (root.dir !== "rtl") root.dir = "rtl"; };
  new MutationObserver(set).observe(root, { attributes: true, attributeFilter: ["dir"] });
  set();
}"""
# Text in elements that hold values, which nobody translates.
_READ_SENTENCES = """() => {
  const values = ".value, code, pre, time, option, input[dir=ltr], [data-label] strong, li strong";
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(values) || !node.parentElement.offsetParent) continue;
    if (node.data.trim()) found.push(node.data.trim());
  }
  return found;
}"""
# Names that are the same in every language, and words of OpenSSL.
_NAMES = re.compile(
    r"Hostname mismatch, certificate is not valid for|https?://\S*|/[\w./-]+|[\w.-]+\.(service|socket|json|bed|test)\S*|\b(docker|Docker|Hub|TLS|URL|"
    r"Buildx|Compose|CentOS|Stream|bash|rhel|alice|official|localhost|would-stop|precious|tiny|"
    r"mirror\.example|ghcr\.io|[kMG]?B|s)\b"
)
_ENGLISH = re.compile(r"[A-Za-z]{3,}")


@MAIN_SUITES
def test_hostile_values_are_text(engine: Window) -> None:
    host = engine.host
    host.write("/etc/docker/daemon.json", json.dumps({"registry-mirrors": [HOSTILE]}))
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        problems = frame.locator("main [role=status]", has_text=HOSTILE)
        expect(problems).to_have_count(1)  # the service's own sentence about daemon.json
        frame.evaluate(_SHOW_HOSTILE, HOSTILE)
        shown = frame.locator("#hostile")
        expect(shown.locator("#refusal")).to_contain_text(HOSTILE)
        for place in ("#removals", "#stops", "#notes", "tbody"):
            expect(shown.locator(place)).to_contain_text(HOSTILE)
        assert frame.evaluate("() => document.querySelectorAll('main img').length") == 0
        assert visit.page.title() != "bad"
    host.path("/etc/docker/daemon.json").unlink()


@MAIN_SUITES
def test_chinese(engine: Window) -> None:
    """No English in any dialog, in the history, in a problem, in a job."""
    assert find_messages() == read_catalog(CATALOG).keys()
    host = engine.host
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run("docker", "run", "--detach", "--name", "would-stop", "tiny", "sleep", "900")
    host.run("docker", "volume", "create", "precious")
    host.run("dockmgrctl", "set-mirror", MIRROR, MIRROR2)
    host.run("dockmgrctl", "probe", MIRROR, f"https://{sites.UNTRUSTED_MIRROR}", check=False)
    host.run(
        "dockmgrctl", "set-mirror", "--verify", f"https://{sites.UNTRUSTED_MIRROR}", check=False
    )
    host.write("/etc/docker/daemon.json", json.dumps({"registry-mirrors": [MIRROR]}))
    with engine.visit("alice", admin=True, language="zh-cn") as visit:
        frame = visit.frame
        expect(frame.locator("#apply-file")).to_be_visible()
        frame.locator("#engine .pf-v6-c-expandable-section__toggle button").click()
        check_chinese(visit)
        for button, dialog in (("change-version", "install"), ("uninstall", "uninstall")):
            frame.locator(f"#{button}").click()
            if dialog == "install":
                expect(frame.locator("select[aria-label] option")).not_to_have_count(0)
                frame.locator("#install-dialog .pf-v6-c-expandable-section__toggle button").click()
            else:
                frame.locator("#purge").click()
            check_chinese(visit)
            frame.locator("#go").click()
            expect(frame.locator("#back")).to_be_visible()
            check_chinese(visit)
            visit.page.keyboard.press("Escape")
        frame.locator("#upgrade").click()
        expect(frame.locator("#upgrade-dialog p")).to_be_visible()
        check_chinese(visit)
        visit.page.keyboard.press("Escape")
        frame.locator("#add-mirror").click()
        frame.locator("#mirror-url").fill("http://mirror.bed.test:x")
        frame.locator("#add").click()
        check_chinese(visit)
        frame.locator("#mirror-url").fill(f"https://{sites.UNTRUSTED_MIRROR}")
        frame.locator("#add").click()
        expect(frame.locator("#add-mirror-dialog [role=alert]")).to_be_visible()
        check_chinese(visit)
        visit.page.keyboard.press("Escape")
        for row in range(frame.locator("#history tbody tr").count()):
            frame.locator("#history tbody button").nth(row).click()
            expect(frame.locator("#job")).to_be_visible()
            check_chinese(visit)
            frame.locator("nav a").click()
    host.run("docker", "rm", "--force", "would-stop")


def check_chinese(visit: Visit) -> None:
    """Raise AssertionError when a text that is no value has an English word."""
    texts = visit.frame.evaluate(_READ_SENTENCES)
    assert any("\u4e00" <= character <= "\u9fff" for text in texts for character in text)
    assert [text for text in texts if _ENGLISH.search(_NAMES.sub("", text))] == []


@MAIN_SUITES
def test_right_to_left(engine: Window) -> None:
    """Nothing of the page depends on the side from which a script begins."""
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        frame.evaluate(_KEEP_RIGHT_TO_LEFT)
        places = {"#engine": 0.0, "#mirrors": 0.0}
        for place in places:
            box = frame.locator(place).bounding_box()
            assert box is not None
            places[place] = box["x"]
        assert places["#engine"] > places["#mirrors"]
        visit.check_width()
        visit.check_accessibility()
        frame.locator("#uninstall").click()
        title = frame.locator("#uninstall-dialog h1").bounding_box()
        close = frame.locator("#uninstall-dialog .pf-v6-c-modal-box__close").bounding_box()
        assert title is not None
        assert close is not None
        assert close["x"] < title["x"]
        visit.check_accessibility()
        visit.page.keyboard.press("Escape")
        visit.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        visit.check_width()
        visit.check_accessibility()
