# SPDX-License-Identifier: LGPL-2.1-or-later
"""Docker's packages on the page: another version, the upgrade back, and the removal with data."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from bed.api import Api
from bed.host import Host
from browser.chromium import Visit, Window

MAIN_SUITES = pytest.mark.suites("bookworm", "trixie")


def run_container(host: Host, name: str) -> None:
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run("docker", "run", "--detach", "--name", name, "tiny", "sleep", "900")


@MAIN_SUITES
def test_another_version_and_the_upgrade_back(engine: Window) -> None:
    host = engine.host
    before = Api(host).status()["packages"]["docker-ce"]
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        frame.locator("#upgrade").click()
        dialog = frame.locator("#upgrade-dialog")
        expect(dialog).to_contain_text("There is nothing to do")
        visit.check_accessibility()
        frame.locator("#go").press("Enter")
        expect(dialog).to_have_count(0)
        expect(frame.locator("#upgrade")).to_be_focused()

        frame.locator("#engine button", has_text="Packages").click()
        expect(frame.locator("#engine")).to_contain_text(before)
        choose_older_version(visit)
        expect(frame.locator("#engine")).not_to_contain_text(before)
        expect(frame.locator("#running")).to_have_count(0)

        run_container(host, "would-stop")
        frame.locator("#upgrade").click()
        expect(dialog.locator("tbody tr", has_text="Upgrade")).not_to_have_count(0)
        # The engine restarts, and nothing keeps its containers.
        expect(frame.locator("#notes")).to_contain_text("would-stop")
        visit.check_accessibility()
        frame.locator("#go").click()
        expect(dialog).to_have_count(0)
        expect(frame.locator("#engine")).to_contain_text(before)
        expect(frame.locator("#running")).to_have_count(0)
    assert Api(host).status()["packages"]["docker-ce"] == before
    host.run("docker", "rm", "--force", "would-stop")


def choose_older_version(visit: Visit) -> None:
    frame = visit.frame
    frame.locator("#change-version").click()
    versions = frame.locator("select[aria-label=Version]")
    expect(versions.locator("option", has_text="(installed)")).to_have_count(1)
    versions.select_option(index=1)
    frame.locator("#go").click()
    expect(frame.locator("#install-dialog tbody tr", has_text="Downgrade")).not_to_have_count(0)
    visit.check_accessibility()
    frame.locator("#go").click()
    expect(frame.locator("#install-dialog")).to_have_count(0)


@MAIN_SUITES
def test_uninstall_and_purge(engine: Window) -> None:
    """The last test of a host: containers by name, then data by the typed name of the host."""
    host = engine.host
    run_container(host, "runs-on")
    host.run("docker", "volume", "create", "precious")
    name = host.run("uname", "-n").stdout.strip()
    with engine.visit("alice", admin=True) as visit:
        frame = visit.frame
        frame.locator("#uninstall").click()
        frame.locator("#purge").click()
        frame.locator("#go").click()
        expect(frame.locator("#stops")).to_contain_text("runs-on")
        check_figures(visit)
        visit.check_accessibility()
        frame.locator("#host-name").fill("another")
        frame.locator("#agree-stops").click()
        go = frame.locator("#go")
        expect(go).to_have_attribute("aria-disabled", "true")
        frame.locator("#host-name").fill(name)
        expect(go).not_to_have_attribute("aria-disabled", "true")
        go.click()
        expect(frame.locator("#install")).to_be_visible()
    assert not Api(host).status()["installed"]
    assert not host.path("/var/lib/docker/volumes/precious").exists()


def check_figures(visit: Visit) -> None:
    """What the dialog says is what the engine and the disk have."""
    losses = visit.frame.locator("#losses")
    engine = json.loads(visit.host.run("docker", "info", "--format", "{{json .}}").stdout)
    volumes = visit.host.run("docker", "volume", "ls", "--quiet").stdout.split()
    counts = (engine["Containers"], engine["Images"], len(volumes))
    expect(losses).to_contain_text("Containers: {}, images: {}, volumes: {}".format(*counts))
    expect(losses).to_contain_text("precious")
    command = ("du", "--summarize", "--one-file-system", "--block-size=1", "/var/lib/docker")
    size = int(visit.host.run(*command).stdout.split()[0])
    expect(losses).to_contain_text(
        "/var/lib/docker: " + visit.frame.evaluate("size => cockpit.format_bytes(size)", size)
    )
