# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: python -m py36 PYTHON, which is a Python 3.6 that has pytest"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FOLDER = ROOT / "build" / "py36"
_REWRITE = ROOT / "packaging" / "rpm" / "py36" / "rewrite.py"
_TESTS = Path("tests", "unit", "worker")


def main(python: str) -> int:
    """Return the exit status of pytest."""
    spec = spec_from_file_location("rewrite", _REWRITE)
    assert spec is not None
    assert spec.loader is not None
    program = module_from_spec(spec)
    spec.loader.exec_module(program)
    shutil.rmtree(_FOLDER, ignore_errors=True)
    program.write_worker(ROOT / "dockmgrd", _FOLDER)
    tests = _FOLDER / _TESTS
    tests.mkdir(parents=True)
    for source in (*sorted((ROOT / _TESTS).glob("*.py")), Path(__file__).with_name("conftest.py")):
        (tests / source.name).write_text(program.rewrite(source.read_text()))
    (_FOLDER / "packaging").symlink_to(ROOT / "packaging")
    (_FOLDER / "pytest.ini").write_text("[pytest]\naddopts = -ra\nfilterwarnings = error\n")
    command = (python, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(_TESTS))
    return subprocess.run(command, cwd=_FOLDER, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
