"""A scenario as it stands in its file: a game, and a table of who does what and when."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

COLUMNS = ["time", "who", "does", "expects", "why"]
WHEN = re.compile(r"(?:(\w{3}) )?(?:(\d{4}-\d{2}-\d{2}) )?(\d{2}:\d{2}(?::\d{2}(?:\.\d{3})?)?)")
GAME = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One row of the table; `where` is its file and line."""

    where: str
    at_ms: int
    who: str
    does: str
    expects: str


@dataclass(frozen=True)
class Scenario:
    """A game and what happens in it."""

    game: dict[str, Any]
    steps: tuple[Step, ...]

    @property
    def begins_at(self) -> int:
        return self.steps[0].at_ms


def read_scenario(file: Path) -> Scenario:
    """Read a scenario.

    Raises:
        ValueError: The file is not one; says where.
    """
    text = file.read_text("utf-8")
    games = GAME.findall(text)
    if len(games) != 1:
        raise ValueError(f"{file.name}: expected one block of json, the game, found {len(games)}")
    steps = tuple(_steps(file.name, text.splitlines()))
    if not steps:
        raise ValueError(f"{file.name}: no table of steps")
    return Scenario(json.loads(games[0]), steps)


def _steps(name: str, lines: list[str]) -> list[Step]:
    steps: list[Step] = []
    now: datetime | None = None
    for number, line in enumerate(lines, 1):
        cells = [cell.strip().strip("`").strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells == COLUMNS or set(line) <= set("|-: "):
            continue
        where = f"{name}:{number}"
        if len(cells) != len(COLUMNS):
            raise ValueError(f"{where}: {len(cells)} columns instead of {len(COLUMNS)}")
        now = _moved(where, now, cells[0])
        steps.append(Step(where, round(now.timestamp() * 1000), *cells[1:4]))
    return steps


def _moved(where: str, now: datetime | None, text: str) -> datetime:
    """The time of a row: its own, on the day of the row before if it names none, or else that of the row before."""
    if not text:
        if now is None:
            raise ValueError(f"{where}: the first row has no time")
        return now
    found = WHEN.fullmatch(text)
    if found is None or not (found[2] or now):
        raise ValueError(f"{where}: not a time: {text}")
    day = found[2] or f"{now:%Y-%m-%d}"
    at = datetime.fromisoformat(f"{day}T{found[3]}").replace(tzinfo=UTC)
    if found[1] and found[1] != f"{at:%a}":
        raise ValueError(f"{where}: {day} is not a {found[1]} but a {at:%a}")
    if now and at < now:
        raise ValueError(f"{where}: time does not go back")
    return at
