# SPDX-License-Identifier: LGPL-2.1-or-later
"""Download messages: size, speed, and a limited rate."""

from __future__ import annotations

from dockmgrd.model import Numbers
from dockmgrd.worker.speed import Speed, describe_download


def measure(speed: Speed, done: float, total: float, files_done: int, files: int) -> str:
    """The sentence about so much of a download."""
    return str(describe_download(speed.measure(done, total, files_done, files)))


def test_the_figures_are_bytes() -> None:
    now = 100.0
    speed = Speed(lambda: now)
    speed.measure(0, 105e6, 0, 6)
    now += 2
    assert speed.measure(10e6, 105e6, 2, 6) == Numbers(10_000_000, 105_000_000, 5_000_000, 2, 6)


def test_a_download_is_reported_with_its_speed() -> None:
    now = 100.0
    speed = Speed(lambda: now)
    assert measure(speed, 0, 105e6, 0, 6) == "0.0 of 105.0 MB, 0.0 MB/s, 0 of 6"
    now += 1
    assert measure(speed, 10e6, 105e6, 0, 6) == "10.0 of 105.0 MB, 10.0 MB/s, 0 of 6"
    now += 0.1
    assert measure(speed, 12e6, 105e6, 0, 6).startswith("10.0 of"), "too early for another"
    assert measure(speed, 12e6, 105e6, 1, 6).endswith(", 1 of 6"), "a file has ended"
    now += 10
    assert measure(speed, 12e6, 105e6, 1, 6) == "12.0 of 105.0 MB, 0.0 MB/s, 1 of 6", "it stands"


def test_speed_is_that_of_late() -> None:
    now = 0.0
    speed = Speed(lambda: now)
    for second in range(20):
        now = float(second)
        message = measure(speed, second * (1e6 if second < 10 else 3e6), 100e6, 0, 1)
    assert message == "57.0 of 100.0 MB, 3.0 MB/s, 0 of 1"
