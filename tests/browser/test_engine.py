# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page on a host with Docker: mirrors, drift, permissions, appearance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bed import sites
from bed.host import Host
from browser.chromium import NARROW, Visit, Window

MIRROR, MIRROR2, TOKEN = (
    f"https://{host}/" for host in (sites.MIRROR, sites.MIRROR2, sites.TOKEN_MIRROR)
)
DAEMON_JSON = "/etc/docker/daemon.json"
# Runs on the host: polkit's text agent on a terminal of its own, and somebody who types.
_AGENT = """
import os, pty, sys, termios, time
reading, writing = os.pipe()
os.set_inheritable(writing, True)
child, terminal = pty.fork()
if child == 0:
    os.execvp("pkttyagent", ["pkttyagent", "--process", sys.argv[1], "--notify-fd", str(writing)])
os.close(writing)
os.read(reading, 1)
print("registered", flush=True)
seen = b""
while True:
    seen += os.read(terminal, 4096)
    if b"assword:" in seen:
        # What is typed before the agent has turned the echo off is thrown away.
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, sys.argv[2].encode() + b"\\n")
        seen = b""
"""
MAIN_SUITES = pytest.mark.suites("bookworm", "trixie")


def mirrors_in_file(host: Host) -> list[str]:
    found: list[str] = json.loads(host.read(DAEMON_JSON) or "{}").get("registry-mirrors", [])
    return found


@MAIN_SUITES
def test_mirrors(engine: Window) -> None:
    host = engine.host
    host.run("dockmgrctl", "set-mirror", "--clear")
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        add(visit, "ftp://mirror.bed.test")
        expect(frame.locator("#mirror-url-help")).to_contain_text("is not the URL of a registry")
        frame.locator("#mirror-url").fill(f"https://{sites.UNTRUSTED_MIRROR}")
        frame.locator("#add").click()
        expect(frame.locator("#add-mirror-dialog [role=alert]")).to_contain_text("certificate")
        visit.check_accessibility()
        frame.locator("#mirror-url").fill(MIRROR)
        frame.locator("#add").click()
        expect(frame.locator("#mirrors tbody tr")).to_have_count(1)
        expect(frame.locator("#add-mirror")).to_be_focused()
        add(visit, MIRROR2)
        expect(frame.locator("#mirrors tbody tr")).to_have_count(2)

        frame.locator("#probe").click()
        expect(frame.locator("#mirrors tbody tr", has_text="Works")).to_have_count(2)
        visit.check_accessibility()
        down = frame.locator(f"[id='down-{MIRROR}']")
        down.focus()
        visit.page.keyboard.press("Enter")
        expect(frame.locator("#mirrors tbody tr").first).to_have_attribute("data-key", MIRROR2)
        assert mirrors_in_file(host) == [MIRROR2, MIRROR]
        frame.locator(f"[id='remove-{MIRROR}']").click()
        expect(frame.locator("#mirrors tbody tr")).to_have_count(1)
        expect(frame.locator("#add-mirror")).to_be_focused()
        assert mirrors_in_file(host) == [MIRROR2]


def test_mirrors_of_another_registry(engine: Window) -> None:
    host, path = engine.host, "/etc/docker/certs.d/ghcr.io/hosts.toml"
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        frame.locator("#add-mirror").click()
        frame.locator("#registry").fill("ghcr.io")
        frame.locator("#mirror-url").fill(MIRROR)
        frame.locator("#add").click()
        alert = frame.locator("#add-mirror-dialog [role=alert]")
        expect(alert).to_contain_text("does not have the image")  # the bed has none of ghcr.io
        frame.locator("#verify").uncheck()
        frame.locator("#add").click()
        expect(alert).to_contain_text("It does not use mirrors of ghcr.io")
        visit.check_accessibility()
        frame.locator("#registry").fill("../ghcr.io")
        frame.locator("#add").click()
        expect(alert).to_contain_text("is not a valid name of a registry")
        visit.page.keyboard.press("Escape")
        command = ["dockmgrctl", "set-mirror", "--registry", "ghcr.io", "--allow-unused"]
        host.run(*command, MIRROR, MIRROR2)
        rows = frame.locator("#registries tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("ghcr.io")
        visit.check_accessibility()
        frame.locator(f"[id='remove-ghcr.io-{MIRROR}']").click()
        expect(rows).to_have_count(1)
        frame.locator(f"[id='remove-ghcr.io-{MIRROR2}']").click()
        expect(frame.locator("#registries")).to_have_count(0)
        host.write(path, "# by hand")
        expect(rows).to_contain_text(path)
        expect(rows.locator("button")).to_have_count(0)
        host.path(path).unlink()
        expect(frame.locator("#registries")).to_have_count(0)


def add(visit: Visit, url: str) -> None:
    visit.frame.locator("#add-mirror").click()
    visit.frame.locator("#mirror-url").fill(url)
    visit.frame.locator("#add").click()


def test_fastest_mirror(engine: Window) -> None:
    host = engine.host
    known = Path(__file__).parents[2] / "dockmgrd" / "catalog" / "mirrors.yaml"
    others = re.findall(r"^  (https://\S+):$", known.read_text(), re.M)
    entries = [f"  {url}: {{enabled: false}}" for url in others]
    entries += [
        f"  {url}: {{title: bed, region: world, checked: 2026-01-01, source: bed}}"
        for url in (TOKEN, f"https://{sites.UNTRUSTED_MIRROR}")
    ]
    host.write("/etc/dockmgrd/mirrors.d/bed.yaml", "\n".join(["mirrors:", *entries]) + "\n")
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        frame.locator("#fastest").click()
        expect(frame.locator("#fastest-dialog tbody tr")).to_have_count(2)
        expect(frame.locator("#fastest-dialog tbody")).to_contain_text("Certificate not trusted")
        visit.check_accessibility()
        expect(frame.locator("#use-selected")).not_to_have_attribute("aria-disabled", "true")
        frame.locator("#use-selected").click()
        expect(frame.locator("#fastest-dialog")).to_have_count(0)
        expect(frame.locator("#mirrors tbody tr")).to_have_count(1)
        assert mirrors_in_file(host) == [TOKEN]
        expect(frame.locator("#mirrors .pf-m-green", has_text="Yes")).to_be_visible()


@MAIN_SUITES
def test_drift_is_shown_and_fixed(engine: Window) -> None:
    host = engine.host
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run("docker", "run", "--detach", "--name", "keeps-on", "tiny", "sleep", "900")
    before = host.run("docker", "inspect", "--format", "{{.State.Pid}}", "keeps-on").stdout
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        host.write(DAEMON_JSON, json.dumps({"registry-mirrors": [MIRROR]}))
        expect(frame.locator("#apply-file")).to_be_visible()
        expect(frame.locator("#mirrors .pf-m-orange")).not_to_have_count(0)
        expect(visit.page.locator("#docker-engine-warning")).to_have_count(1)  # in the navigation
        visit.check_accessibility()
        frame.locator("#apply-file").click()
        expect(frame.locator("#apply-file")).to_have_count(0)
        expect(visit.page.locator("#docker-engine-warning")).to_have_count(0)
        expect(frame.locator("#mirrors .pf-m-green")).not_to_have_count(0)
        # The daemon leaves in an orderly way, and the host is changed while it is not there.
        host.run("systemctl", "stop", "dockmgrd.service")
        host.run("dockmgrctl", "set-mirror", MIRROR2)
        expect(frame.locator(f"#mirrors tr[data-key='{MIRROR2}']")).to_be_visible()
    assert host.run("docker", "inspect", "--format", "{{.State.Pid}}", "keeps-on").stdout == before
    host.run("docker", "rm", "--force", "keeps-on")


@MAIN_SUITES
def test_a_problem_of_a_unit_leads_to_it(engine: Window) -> None:
    with engine.visit("alice", admin=True) as visit:
        engine.host.run("systemctl", "mask", "--runtime", "docker.socket")
        problem = visit.frame.locator(".pf-v6-c-alert", has_text="systemctl unmask docker.socket")
        expect(problem).to_be_visible()
        visit.check_accessibility()
        problem.locator("button").click()
        visit.page.wait_for_url(re.compile("/system/services#/docker.socket"))
        engine.host.run("systemctl", "unmask", "--runtime", "docker.socket")


def test_what_the_mirror_watch_found(engine: Window) -> None:
    """Its last results, its jobs, and the way to other mirrors when none works."""
    host = engine.host
    host.run("dockmgrctl", "set-mirror", f"https://{sites.UNTRUSTED_MIRROR}")
    host.write("/etc/dockmgrd/dockmgrd.yaml", "mirror-watch: {every: 6h}\n")
    host.run("systemctl", "daemon-reload")
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        host.run("systemctl", "start", "dockmgrd-mirror-watch.service", check=False)
        expect(frame.locator("#mirrors tbody")).to_contain_text("Certificate not trusted")
        frame.locator("#replace-mirrors").click()
        expect(frame.locator("#fastest-dialog")).to_be_visible()
        visit.check_accessibility()
    host.path("/etc/dockmgrd/dockmgrd.yaml").unlink()
    host.run("systemctl", "daemon-reload")


@MAIN_SUITES
def test_a_delegated_member_needs_no_sudo(engine: Window) -> None:
    engine.host.run("dockmgrctl", "set-mirror", MIRROR, MIRROR2)
    with engine.visit("bob") as visit:
        frame = visit.frame
        expect(frame.locator("#limited")).to_have_count(0)
        frame.locator(f"[id='remove-{MIRROR2}']").click()
        expect(frame.locator("#mirrors tbody tr")).to_have_count(1)
        expect(frame.locator("#history tbody tr").first).to_contain_text("bob")
        frame.locator("#uninstall").click()
        expect(frame.locator("#keep")).to_be_visible()
        expect(frame.locator("#purge")).to_have_count(0)


def test_others_get_no_dead_buttons(engine: Window) -> None:
    with engine.visit("carol", size=NARROW) as visit:
        expect(visit.frame.locator("#limited")).to_be_visible()
        for name in ("install", "uninstall", "change-version", "add-mirror", "fastest"):
            expect(visit.frame.locator(f"#{name}")).to_have_count(0)
        visit.check_width()
        visit.check_accessibility()


def test_an_agent_of_polkit_can_ask(engine: Window) -> None:
    """As in a window of a desktop session: without a shell, and with one who asks for passwords."""
    host = engine.host
    host.run("dockmgrctl", "set-mirror", MIRROR, MIRROR2)
    with engine.visit("carol", top=True) as visit:
        expect(visit.frame.locator("#limited")).to_have_count(0)
        remove = visit.frame.locator(f"[id='remove-{MIRROR2}']")
        remove.click()
        refused = visit.frame.locator("#mirrors [role=alert]")
        expect(refused).to_contain_text("Turn on administrative access")
        visit.check_accessibility()
        with password_agent(host, "carol"):
            remove.click()
            expect(visit.frame.locator("#mirrors tbody tr")).to_have_count(1)
        expect(visit.frame.locator("#history tbody tr").first).to_contain_text("carol")
    assert mirrors_in_file(host) == [MIRROR]


@contextmanager
def password_agent(host: Host, user: str) -> Iterator[None]:
    """Have polkit ask on a terminal for that user's bridge, where root's password is typed."""
    host.run("chpasswd", input="root:root\n")
    # The bridge of an earlier login may not have ended yet.
    command = ("pgrep", "--newest", "--uid", user, "--full", "cockpit-bridge$")
    bridge = host.run(*command).stdout.strip()
    agent = host.popen("/usr/bin/python3", "-IBc", _AGENT, bridge, "root")
    assert agent.stdout is not None
    try:
        assert agent.stdout.readline() == "registered\n"
        yield
    finally:
        agent.kill()
        agent.communicate()


@MAIN_SUITES
def test_looks(engine: Window) -> None:
    """Dark, as the shell has it; narrow, without scrolling sideways; and one job by its address."""
    with engine.visit("alice", admin=True, dark=True) as visit:
        frame = visit.frame
        root = frame.locator("html")
        expect(root).to_have_class(re.compile("pf-v6-theme-dark"))
        visit.check_accessibility()
        visit.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        visit.check_width()
        visit.check_accessibility()
        visit.page.emulate_media(color_scheme="light")
        expect(root).not_to_have_class(re.compile("pf-v6-theme-dark"))
        frame.locator("#history tbody button").first.click()
        expect(frame.locator("#job")).to_be_visible()
        visit.check_width()
        visit.check_accessibility()
        frame.locator("nav a").click()
        expect(frame.locator("#history")).to_be_visible()


@pytest.mark.suites("forky")
def test_newest_cockpit(engine: Window) -> None:
    with engine.visit("alice", admin=True) as visit:
        expect(visit.frame.locator("#engine")).to_contain_text("Running")
        visit.frame.locator("#add-mirror").click()
        visit.frame.locator("#mirror-url").fill(MIRROR)
        visit.frame.locator("#add").click()
        expect(visit.frame.locator(f"#mirrors tr[data-key='{MIRROR}']")).to_be_visible()
        visit.check_accessibility()
