# SPDX-License-Identifier: LGPL-2.1-or-later
"""A clock that is behind: certificates are from the future, and the error names the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed import identity, sites
from bed.api import Api, ApiError
from bed.shell import checked
from bed.suites import BOOKWORM, FORKY
from integration.walk_view import look

if TYPE_CHECKING:
    from pathlib import Path

    from bed.host import Host

pytestmark = pytest.mark.suites(BOOKWORM.name, FORKY.name)
SERVER = "/usr/share/bed/server.pem"
DRY_RUN = ("b", True)
_AUTHORITY = """\
[ca]
default_ca = bed
[bed]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = {names}
basicConstraints = CA:FALSE
"""


def make_future_certificate(folder: Path) -> str:
    """A certificate of the bed's authority that is valid from 2090 on, with its key."""
    bed = identity.provide()
    names = ",".join(f"DNS:{name}" for name in (sites.DOCKER, sites.ALIYUN))
    (folder / "ca.cnf").write_text(_AUTHORITY.format(names=names))
    (folder / "index.txt").touch()
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem"]
    checked(["openssl", "req", *key, "-subj", "/CN=server", "-out", "request.pem"], cwd=folder)
    dates = ["-startdate", "20900101000000Z", "-enddate", "20950101000000Z"]
    signer = ["-cert", str(bed.authority), "-keyfile", str(bed.directory / "ca.key")]
    files = ["-in", "request.pem", "-out", "certificate.pem", "-notext", "-batch"]
    checked(["openssl", "ca", "-config", "ca.cnf", *dates, *signer, *files], cwd=folder)
    return (folder / "certificate.pem").read_text() + (folder / "key.pem").read_text()


def serve_with(host: Host, certificate: str) -> None:
    host.write(SERVER, certificate)
    host.run("systemctl", "restart", "bed-internet.service")


def check(api: Api, job: str) -> None:
    """Check that the job suspects the clock."""
    with pytest.raises(ApiError, match="clock of this host may be behind") as caught:
        api.wait(job)
    assert caught.value.name == "org.dockmgr1.Error.SourceUnreachable"
    assert api.properties(job)["ErrorDetails"]["remedy"]["command"] == "timedatectl"


def test_a_certificate_from_the_future(host: Host, tmp_path: Path) -> None:
    """For metadata that is new or has been here, and for a list of versions."""
    api = Api(host)
    present, future = host.read(SERVER), make_future_certificate(tmp_path)
    official = ("s", "official")

    before = look(host)
    serve_with(host, future)
    check(api, api.install(source=official))
    check(api, api.call("ListVersions", "a{sv}", {"source": official}))
    serve_with(host, present)
    assert api.wait(api.install(source=official, dry_run=DRY_RUN))["changed"]
    serve_with(host, future)
    check(api, api.install(source=official))  # dnf refreshes the metadata.
    assert look(host).packages == before.packages
    serve_with(host, present)
    assert api.wait(api.install(source=official))["engine-version"]


def test_a_package_from_a_server_of_the_future(host: Host, tmp_path: Path) -> None:
    """The source is not its server, and works."""
    api = Api(host)
    host.write("/srv/server.pem", make_future_certificate(tmp_path))
    server = (
        "openssl",
        "s_server",
        "-quiet",
        "-accept",
        "8443",
        "-cert",
        "/srv/server.pem",
        "-www",
    )
    host.run("systemd-run", "--unit=server", *server)
    host.run("sh", "-c", "until openssl s_client -connect localhost:8443; do :; done")
    address = ("s", f"https://{sites.ALIYUN}:8443/containerd.io.rpm")
    check(api, api.install(source=("s", "official"), containerd_rpm=address))
