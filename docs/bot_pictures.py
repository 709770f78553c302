"""Draws the pictures of `docs/bots.md`, each from the definition in its section: `python docs/bot_pictures.py`."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drawing import keep
from kraty_actors.definitions import BotDefinition
from kraty_actors.domain.bots import Behaviour, Bots, BotSeat, Grid, Persona
from kraty_actors.domain.chance import Chance

PAGE = Path(__file__).with_name("bots.md")
SECTION = re.compile(r"^## (?P<name>\w+)\n(?P<text>.*?)^!\[", re.M | re.S)
TICK_SECONDS = 5
WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 16, 32
BOT_COLOURS = ("#0969da", "#8250df", "#bc4c00")
PAPER, INK, PLAYER = "#ffffff", "#57606a", "#b0b7be"


@dataclass(frozen=True)
class Scene:
    """What stands around a bot: how long it is watched, in seconds, how many seats it has, and the players, each with
    the seconds at which they score `points` more."""

    seconds: int = 600
    seats: int = 1
    players: Sequence[Sequence[int]] = ()
    points: int = 1
    writes: bool = False

    def scores(self, second: int) -> list[int]:
        """What the players have at a second, the best first."""
        return sorted((bisect_right(times, second) * self.points for times in self.players), reverse=True)


LEADER, FOLLOWER = range(20, 600, 14), [*range(40, 300, 24), *range(420, 600, 8)]
SCENES = {
    "progress_linear": Scene(seconds=5400, seats=3),
    "track_position": Scene(players=(LEADER, FOLLOWER), points=3),
    "match_player_pace": Scene(seats=3, players=(LEADER,), points=3),
    "random_step_with_fall": Scene(seconds=300, players=(range(15, 300, 15),), writes=True),
    "state_machine": Scene(players=(LEADER, FOLLOWER), points=3),
}


class Players:
    """The humans on the board at one second of a scene."""

    def __init__(self, scene: Scene, second: int) -> None:
        self.ends_at = scene.seconds * 1000
        self._scores = scene.scores(second)
        self.humans = len(self._scores)

    def human_at(self, rank: int) -> int:
        return self._scores[rank - 1]

    def humans_ahead_of(self, score: float) -> int:
        return len([one for one in self._scores if one >= score])


def pictures() -> dict[str, str]:
    """Every picture of the page, by the name of its section."""
    sections = SECTION.finditer(PAGE.read_text("utf-8"))
    return {section["name"]: picture(section["name"], _definition(section["text"])) for section in sections}


def picture(name: str, bot: BotDefinition) -> str:
    """The curve of a bot, as SVG."""
    scene = SCENES.get(name, Scene())
    bots = list(_played(bot, scene))
    seconds = () if scene.writes else range(0, scene.seconds + 1, TICK_SECONDS)
    players = list(zip(*map(scene.scores, seconds), strict=True))
    top = max([1, *(score or 0 for line in [*bots, *players] for score in line)])
    lines = [_line(line, top, PLAYER, 1.5) for line in players]
    lines += [_line(line, top, colour, 2.5) for line, colour in zip(bots, BOT_COLOURS, strict=False)]
    return _sheet(name, [*_axes(scene, top), *lines])


def _definition(text: str) -> BotDefinition:
    (block,) = re.findall(r"^```json\n(.*?)^```$", text, re.M | re.S)
    return BotDefinition.model_validate(json.loads(block))


def _played(bot: BotDefinition, scene: Scene) -> Iterator[list[float | None]]:
    """The score of each seat at each tick; None where it has no row."""
    seats = [BotSeat(Behaviour.of(bot, 0), Persona("drawn"))] * scene.seats
    bots = Bots(seats, Chance(3, "picture"), Grid(0, TICK_SECONDS * 1000))
    rows: list[list[float | None]] = []
    for inputs, second in enumerate(range(0, scene.seconds + 1, TICK_SECONDS)):
        bots.advance(second * 1000, inputs, Players(scene, second))
        if scene.writes and any(second in times for times in scene.players):
            bots.wrote(inputs + 1 + second // TICK_SECONDS, Players(scene, second))
        rows.append([bots.values[seat] if seat in bots.standing else None for seat in range(scene.seats)])
    return map(list, zip(*rows, strict=True))


def _line(scores: Sequence[float | None], top: float, colour: str, width: float) -> str:
    """A line of steps: a score holds from its tick to the next one."""
    points: list[str] = []
    before: float | None = None
    for tick, score in enumerate(scores):
        x = _x(tick / (len(scores) - 1))
        if score is not None and score != before:
            y = _y(score / top)
            points.append(f"H{x:.1f}V{y:.1f}" if points else f"M{x:.1f} {y:.1f}")
        elif before is not None and (score is None or tick == len(scores) - 1):
            points.append(f"H{x:.1f}")
        before = score
    path = "".join(points)
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>'


def _axes(scene: Scene, top: float) -> Iterator[str]:
    for share in (0, 0.5, 1):
        y = _y(share)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{INK}" stroke-opacity=".25"/>'
        yield _text(LEFT - 8, y + 4, f"{top * share:g}", "end")
    for quarter in range(5):
        second = scene.seconds * quarter // 4
        yield _text(
            _x(quarter / 4), HEIGHT - 10, f"{second} s", ("start", "middle", "middle", "middle", "end")[quarter]
        )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _sheet(name: str, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="the score of {name} over time"'
    style = f'font-family="sans-serif" font-size="12" fill="{INK}">'
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{PAPER}"/>'
    return "\n".join([f"{head} {style}", paper, *parts, "</svg>", ""])


def main() -> None:
    keep("bots", pictures())


if __name__ == "__main__":
    main()
