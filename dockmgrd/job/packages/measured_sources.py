# SPDX-License-Identifier: LGPL-2.1-or-later
"""The result of the last measurement of package sources, which is good for a day.

The file is only a memory: one that is damaged, odd, too old or about other sources is not there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockmgrd import paths
from dockmgrd.errors import ConfigInvalid, DockmgrError
from dockmgrd.host import atomicfile
from dockmgrd.job.probe.packages import Measurement
from dockmgrd.job.probe.verdicts import Verdict

logger = logging.getLogger(__name__)

MAX_AGE = 86400
_VERSION = 1
_MAX_FILE_BYTES = 64 << 10
_MAX_FIGURE = 1e12
_VERDICTS = {each.value: each for each in (Verdict.OK, Verdict.TIMEOUT)}


@dataclass(frozen=True)
class Memory:
    """The usable sources, the best first, and when they were measured: seconds since the epoch."""

    measured: int
    measurements: tuple[Measurement, ...]


def read_memory(urls: Mapping[str, str], now: float, path: Path | None = None) -> Memory | None:
    """What is remembered about exactly these repositories, by the names of their sources."""
    try:
        content = atomicfile.read(path or paths.MEASURED_SOURCES)
        if content is None or len(content) > _MAX_FILE_BYTES:
            return None
        return _decode(json.loads(content), urls, now)
    except (ConfigInvalid, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def write_memory(
    urls: Mapping[str, str], measurements: Sequence[Measurement], path: Path | None = None
) -> Memory:
    """Keep the usable ones. That they cannot be kept is no reason to fail."""
    usable = tuple(each for each in measurements if each.is_usable)
    memory = Memory(int(time.time()), usable)
    content = {
        "version": _VERSION,
        "for": _digest(urls),
        "measured": memory.measured,
        "sources": [_encode(each) for each in usable],
    }
    path = path or paths.MEASURED_SOURCES
    try:
        with _lock(path.parent) as locked:
            if usable and locked:
                atomicfile.replace(path, json.dumps(content).encode(), mode=0o600, durable=False)
    except (OSError, DockmgrError) as error:
        logger.warning("%s cannot be written: %s", path, error)
    return memory


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Whether no other job writes the file at the moment: measuring needs no lock of the host."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _digest(urls: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(urls.items())).encode()).hexdigest()


def _encode(measurement: Measurement) -> dict[str, Any]:
    return {
        "source": measurement.source,
        "verdict": measurement.verdict.value,
        "latency": measurement.latency,
        "throughput": measurement.throughput,
        "time": measurement.time,
        "stale": measurement.stale,
    }


def _decode(content: Any, urls: Mapping[str, str], now: float) -> Memory | None:
    """:raises ValueError, TypeError, KeyError, AttributeError: for content of another form."""
    measured = content["measured"]
    known = content["version"] == _VERSION and content["for"] == _digest(urls)
    if not known or type(measured) is not int or not now - MAX_AGE < measured <= now:
        return None
    measurements = tuple(map(_decode_measurement, content["sources"]))
    names = [each.source for each in measurements]
    if not names or len(set(names)) < len(names) or not urls.keys() >= set(names):
        return None
    return Memory(measured, measurements)


def _decode_measurement(entry: Any) -> Measurement:
    made = entry["time"]
    if type(made) is not int or not 0 < made < _MAX_FIGURE or type(entry["stale"]) is not bool:
        raise ValueError("not a measurement")
    return Measurement(
        entry["source"],
        _VERDICTS[entry["verdict"]],
        latency=_read_figure(entry["latency"]),
        throughput=_read_figure(entry["throughput"]),
        time=made,
        stale=entry["stale"],
    )


def _read_figure(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value < _MAX_FIGURE:
        raise ValueError("not a figure")
    return float(value)
