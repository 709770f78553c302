"""Draws `docs/demo.svg`, the picture in the README, from a real run: `python docs/demo_picture.py`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import anyio
from rich.console import Console

from kraty_actors.demo.ending import print_verdict
from kraty_actors.demo.run import Demo
from kraty_actors.demo.scene import Scene
from kraty_actors.demo.screen import WIDTH, draw
from kraty_actors.demo.setting import Setting

TAKEN_AT = 0.6
"""When the photograph is taken, as a share of the window."""


class Camera:
    """A screen that draws one scene on a console that records."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._is_taken = False

    def show(self, scene: Scene) -> None:
        taken_at = scene.setting.opens_at + scene.setting.seconds * 1000 * TAKEN_AT
        if not self._is_taken and scene.now >= taken_at:
            self._is_taken = True
            self._console.print(draw(scene))

    def say(self, scene: Scene, text: str) -> None:
        pass


def main() -> None:
    with open("/dev/null", "w") as nowhere, tempfile.TemporaryDirectory() as folder:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        result = anyio.run(Demo(Setting(), Path(folder), Camera(console)).run, backend="trio")
        print_verdict(console, result)
        console.save_svg(str(Path(__file__).with_name("demo.svg")), title="make demo")


if __name__ == "__main__":
    main()
