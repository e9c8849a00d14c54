# SPDX-License-Identifier: LGPL-2.1-or-later
"""The problems that Status reports, and their remedies."""

from __future__ import annotations

from dockmgrd.messages.text import Template

MIRRORS_DIFFER = Template(
    "mirrors-differ", "The running engine uses other registry mirrors than daemon.json names."
)
RELOAD_ENGINE = Template("reload-engine", "Reload the engine's configuration.")
ENGINE_FAILED = Template("engine-failed", "docker.service has failed.")
SEE_ENGINE_LOG = Template("see-engine-log", "The journal of docker.service shows why.")
ENGINE_SILENT = Template(
    "engine-silent",
    "The Docker Engine runs and does not answer in time. "
    "What is reported about it may be out of date.",
)
SEE_ENGINE_UNIT = Template("see-engine-unit", "Look at the state of docker.service.")
FIX_FILE = Template("fix-file", "Fix {path}.")
SEE_SOURCES = Template("see-sources", "Fix or remove the file in {path}.")
NO_MIRROR_WORKS = Template(
    "no-mirror-of-registry-works",
    "None of the mirrors of {registry} worked when they were last tried: {mirrors}.",
)
PROBE_AND_SET_OTHERS = Template(
    "probe-and-set-others", "Find out why, and set mirrors that work with dockmgrctl set-mirror."
)
WATCH_NOT_STARTED = Template(
    "watch-not-started", "{file} turns the mirror watch on, but {timer} does not run."
)
WATCH_REFUSED = Template(
    "watch-refused", "{file} turns the mirror watch on, but {timer} does not run: {reason}"
)
START_WATCH = Template("start-watch", "Have systemd read its units again, and start the timer.")
WATCH_MASKED = Template("watch-masked", "{file} turns the mirror watch on, but {timer} is masked.")
UNMASK_WATCH = Template("unmask-watch", "Unmask the timer, or remove mirror-watch from the file.")
WATCH_NOT_STOPPED = Template(
    "watch-not-stopped", "{file} does not turn the mirror watch on, but {timer} runs."
)
STOP_WATCH = Template("stop-watch", "Stop the timer, and have systemd read its units again.")
