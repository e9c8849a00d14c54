# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make coverage`: which lines of dockmgrd run on a host, in all of its processes.

DOCKMGRD_COVERAGE names the folder for what was measured; without it, nothing is. The folder of the
package coverage of this Python goes to the host, whose Python has the same version.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bed.host import Host

FOLDER = os.environ.get("DOCKMGRD_COVERAGE", "")
_DATA = "/srv/coverage"
_SITE = "/usr/lib/python3/dist-packages"
# Programs of ours end by os._exit, and the daemon by a signal.
_SETTINGS = f"""[run]
parallel = True
data_file = {_DATA}/data
source_pkgs = dockmgrd
patch = _exit
sigterm = True
"""
_START = (
    "import os; os.environ.setdefault('COVERAGE_PROCESS_START', '/etc/coveragerc');"
    " import coverage; coverage.process_startup()\n"
)
_DROP_IN = f"[Service]\nReadWritePaths={_DATA}\n"
_SANDBOXED = ("dockmgrd.service", "dockmgrd-mirror-watch.service")


def install(host: Host) -> None:
    """Have each Python process of the host measure itself, where that is wanted."""
    spec = find_spec("coverage") if FOLDER else None
    if spec is None or spec.origin is None:
        return
    shutil.copytree(Path(spec.origin).parent, host.path(f"{_SITE}/coverage"), dirs_exist_ok=True)
    host.write("/etc/coveragerc", _SETTINGS)
    host.write(f"{_SITE}/zz-coverage.pth", _START)
    for unit in _SANDBOXED:
        host.write(f"/etc/systemd/system/{unit}.d/coverage.conf", _DROP_IN)
    host.run("mkdir", "--mode=1777", "--parents", _DATA)
    host.run("systemctl", "daemon-reload")


def collect(host: Host) -> None:
    """Keep what the processes of the host have measured."""
    data = host.path(_DATA)
    if not (FOLDER and data.is_dir()):
        return
    host.run("systemctl", "stop", "dockmgrd.service", check=False)
    target = Path(tempfile.mkdtemp(prefix="host-", dir=FOLDER))
    for file in data.iterdir():
        shutil.copyfile(file, target / f".coverage.{target.name}.{file.name}")
