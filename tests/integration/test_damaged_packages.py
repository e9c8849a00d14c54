# SPDX-License-Identifier: LGPL-2.1-or-later
"""Damaged databases and configuration of the package manager: its own words, and a way out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bed import debs, layers
from bed.suites import BOOKWORM, FORKY
from bed.workers import done, install, outcome_of, use_source
from dockmgrd.worker.protocol import RemovePackages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite
    from dockmgrd.worker.protocol import Outcome, Request

pytestmark = pytest.mark.suites(BOOKWORM.name, FORKY.name)
REMOVE: Request = RemovePackages(names=("docker-compose-plugin",), allow_removals=True)
REQUESTS: Mapping[str, Request] = {
    "install": install(),
    "upgrade": replace(install(), upgrade=True),
    "remove": REMOVE,
}
CHANGES: Mapping[str, Request] = {"upgrade": REQUESTS["upgrade"], "remove": REMOVE}
"""Those that need more than rpm's database on a host that has Docker."""

_SQL = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute(sys.argv[2])
"""
_DATABASES = {
    # How it is damaged, and what rpm says.
    "not a database": ("printf garbage >$1", "not a database"),
    "empty": (": >$1", "readonly database"),
    "truncated": ("truncate -s 5000 $1", "malformed"),
    "without an index": (f"python3 -c '{_SQL}' $1 'DROP TABLE Name'", "'Name'"),
    "damaged packages": (f"python3 -c '{_SQL}' $1 'UPDATE Packages SET blob=zeroblob(9)'", ""),
    "a directory": ("rm $1; mkdir $1", "Unable to open"),
}
_HISTORIES = {
    "not a database": ("printf garbage >$1", "not a database"),
    "truncated": ("truncate -s 5000 $1", "malformed"),
    "without a table": (f"python3 -c '{_SQL}' $1 'DROP TABLE trans'", "no such table"),
    "a directory": ("rm $1; mkdir $1", "I/O error"),
}
_CONFIGURATIONS = {
    "a directory": ("rm $1; mkdir $1", "Is a directory"),
    "without a section": ("echo best=1 >$1", "section header"),
    "an unclosed section": ("printf '[main\\n' >$1", "Missing ']'"),
    "not text": ("head -c 300 /dev/zero >$1", ""),
}
_HARMLESS_CONFIGURATIONS = {
    "missing": "rm $1",
    "a value that is not a number": "printf '[main]\\ninstallonly_limit=many\\n' >$1",
    "a device": "ln -sf /dev/null $1",
}
_DNF_CONF = "/etc/dnf/dnf.conf"


def damage(host: Host, script: str, path: str) -> None:
    """Run the script, which knows the path as $1, and keep what was there."""
    keep = "rm -rf $1.kept; mkdir $1.kept; cp -a $1* $1.kept 2>/dev/null; rm -f $1-*"
    host.run("sh", "-c", f"{keep}\n{script}", "sh", path)


def restore(host: Host, path: str) -> None:
    name = path.rpartition("/")[2]
    script = "mv $1.kept /srv/kept; rm -rf $1*; cp -a /srv/kept/$2* $(dirname $1); rm -r /srv/kept"
    host.run("sh", "-c", script, "sh", path, name)
    host.run("rm", "-rf", f"{path}.kept")


def check_refusal(outcome: Outcome, error: str, path: str, words: str, command: str) -> None:
    assert outcome.error_name.rpartition(".")[2] == error, outcome.error_message
    assert path in outcome.error_message
    assert words in outcome.error_message
    assert outcome.error.remedy is not None
    assert outcome.error.remedy.command == command


def test_a_database_that_rpm_cannot_read(docker_host: Host) -> None:
    host = docker_host
    use_source(host)
    database = host.run("rpm", "--eval", "%_dbpath/rpmdb.sqlite").stdout.strip()
    before = host.run("rpm", "-qa").stdout
    for script, words in _DATABASES.values():
        damage(host, script, database)
        for request in REQUESTS.values():
            outcome = outcome_of(host, request)
            check_refusal(outcome, "TransactionFailed", "rpm", words, "rpmdb --rebuilddb")
        restore(host, database)
        assert host.run("rpm", "-qa").stdout == before
    damage(host, _DATABASES["without an index"][0], database)
    host.run("rpmdb", "--rebuilddb")
    assert done(host, REMOVE).removed, "the command that the error names repairs it"


def test_a_history_that_dnf_cannot_use(docker_host: Host) -> None:
    """dnf 5 finds out only when it writes, which is when the engine has been stopped."""
    host = docker_host
    use_source(host)
    history = "/var/lib/dnf/history.sqlite"
    if host.suite.dnf5:
        history = "/usr/lib/sysimage/libdnf5/transaction_history.sqlite"
    command = f"mv {history} {history}.damaged"
    for script, words in _HISTORIES.values():
        damage(host, script, history)
        for request in CHANGES.values():
            outcome = outcome_of(host, request)
            check_refusal(outcome, "TransactionFailed", history, words, command)
        restore(host, history)
    damage(host, _HISTORIES["truncated"][0], history)
    host.run("sh", "-c", command)
    assert done(host, REMOVE).removed, "the command that the error names helps"


def test_a_configuration_that_dnf_cannot_read(docker_host: Host) -> None:
    host = docker_host
    use_source(host)
    for script, words in _CONFIGURATIONS.values():
        damage(host, script, _DNF_CONF)
        for request in CHANGES.values():
            check_refusal(outcome_of(host, request), "ConfigInvalid", _DNF_CONF, words, "")
        restore(host, _DNF_CONF)
    for script in _HARMLESS_CONFIGURATIONS.values():
        damage(host, script, _DNF_CONF)
        assert outcome_of(host, CHANGES["upgrade"]).error_name == ""
        restore(host, _DNF_CONF)
    host.run("ln", "--symbolic", "--force", "dnf.conf", _DNF_CONF)  # a loop: dnf 4 ignores it
    error = outcome_of(host, REMOVE).error_name.rpartition(".")[2]
    assert error == ("ConfigInvalid" if host.suite.dnf5 else "")


def test_a_configuration_of_a_plugin_that_dnf_cannot_read(new_host: NewHost, suite: Suite) -> None:
    disk = layers.docker(suite)
    host = new_host(disk if suite.dnf5 else debs.with_packages(suite, disk, "dnf-plugins-core"))
    use_source(host)
    if suite.dnf5:
        path = "/etc/dnf/libdnf5-plugins/actions.conf"
        host.write(path, "[main")
        check_refusal(outcome_of(host, REMOVE), "ConfigInvalid", path, "plugin", "")
        host.run("rm", path)
        host.run("mkdir", path)
        assert done(host, REMOVE).removed, "dnf ignores a directory"
        return
    locks, configuration = (f"/etc/dnf/plugins/versionlock.{each}" for each in ("list", "conf"))
    host.run("sh", "-c", "rm -f $1; mkdir $1", "sh", locks)
    refused = outcome_of(host, CHANGES["upgrade"])
    check_refusal(refused, "TransactionFailed", locks, "Is a directory", "")
    host.run("sh", "-c", "rm -r $1; head -c 99 /dev/urandom >$1", "sh", locks)
    assert outcome_of(host, CHANGES["upgrade"]).error_name == "", "dnf ignores such lines"
    host.write(configuration, "[main")
    check_refusal(outcome_of(host, REMOVE), "ConfigInvalid", configuration, "Missing ']'", "")


def test_a_variable_that_is_not_text(docker_host: Host) -> None:
    host = docker_host
    use_source(host)
    host.run("sh", "-c", "printf '\\377\\376' >/etc/dnf/vars/mine")
    outcome = outcome_of(host, REMOVE)
    if host.suite.dnf5:
        assert outcome.removed
    else:
        check_refusal(outcome, "ConfigInvalid", "dnf", "can't decode", "")
