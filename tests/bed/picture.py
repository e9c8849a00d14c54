# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make picture`: what the commands below show on a terminal of a fresh host, as docs/run.svg."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from bed import layers, person, sites
from bed.host import Host
from bed.screen import Screen
from bed.suites import FORKY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.screen import Run

PICTURE = Path(__file__).parents[2] / "docs" / "run.svg"
COMMANDS = (
    "dockmgrctl install --source aliyun --minimal --yes",
    f"dockmgrctl set-mirror https://{sites.MIRROR}",
    "docker run --rm --quiet hello-world",
    "dockmgrctl status",
)
_PROMPT = "\x1b[1m#\x1b[0m"

_CELL, _LINE, _MARGIN, _FONT = 8.4, 19, 18, 14
_PAPER, _INK = "#1b1f24", "#d7dde4"
# Of ANSI's eight, on dark paper; blue and yellow are what dockmgrctl uses.
_COLOURS = (
    *("#6b7480", "#ff8f8f", "#8fd694", "#ffd866"),
    *("#6cb6ff", "#dcbdfb", "#7fdbe0", "#ffffff"),
)
_FAMILY = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"


class PictureError(Exception):
    """A command of the picture has failed."""


def main() -> None:
    screen = Screen(person.COLUMNS)
    with Host(FORKY, layers.ours(FORKY)) as host:
        for command in COMMANDS:
            seen = person.run(host, command)
            if seen.status != 0:
                raise PictureError(f"{command} ended with {seen.status}:\n{seen.text}")
            screen.write(f"{_PROMPT} {command}\r\n{seen.text}\r\n")
    PICTURE.write_text(drawn(screen))
    print(f"{PICTURE} is drawn.")


def title() -> str:
    """What the picture is about: its commands."""
    return "; ".join(COMMANDS)


def drawn(screen: Screen) -> str:
    """The screen as an SVG document that needs nothing from elsewhere."""
    lines = list(screen.runs())
    while not lines[-1]:
        del lines[-1]
    width = round(screen.columns * _CELL + 2 * _MARGIN)
    height = len(lines) * _LINE + 2 * _MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = f'font-family="{_FAMILY}" font-size="{_FONT}"'
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title())}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{_PAPER}"/>',
        f'<g {font} fill="{_INK}" xml:space="preserve">',
    ]
    for number, runs in enumerate(lines):
        y = _MARGIN + number * _LINE + _FONT
        body += [element for run in runs for element in _elements(run, y)]
    return "\n".join([*body, "</g>", "</svg>"]) + "\n"


def _elements(run: Run, y: int) -> Iterator[str]:
    style = "".join(
        (
            ' font-weight="bold"' if run.style.bold else "",
            f' fill="{_COLOURS[run.style.colour]}"' if run.style.colour is not None else "",
        )
    )
    # The length keeps columns aligned whatever font there is.
    text, x = run.text.rstrip(), _MARGIN + run.column * _CELL
    length = (run.cells - len(run.text) + len(text)) * _CELL
    place = f'x="{x:.1f}" y="{y}" textLength="{length:.1f}"'
    yield f"<text {place}{style}>{escape(text, quote=False)}</text>"


if __name__ == "__main__":
    main()
